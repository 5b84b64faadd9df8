package cumulo.runtime;

import com.amazonaws.services.lambda.crac.Core;
import com.amazonaws.services.lambda.runtime.LambdaRuntime;
import com.amazonaws.services.lambda.runtime.LambdaRuntimeInternal;
import com.amazonaws.services.lambda.runtime.logging.LogFormat;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOError;
import java.io.IOException;
import java.lang.reflect.Field;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Lambda's Java runtime: loads the handler, then answers one event after the other until the environment ends.
 *
 * <p>Behaviour, names and texts of errors: AWS's aws-lambda-java-runtime-interface-client 2, which its managed runtimes
 * contain; and AWS Lambda Developer Guide, "Define Lambda function handler in Java".
 */
public final class Main {
    private static final String BAD_CODE = "Runtime.BadFunctionCode";
    private static final String EXCEPTION = "Runtime.UserException";
    private static final String TRUST = "/etc/cumulo/trust.jks";
    private static final String TRACE = "com.amazonaws.xray.traceHeader";
    private final Api api;
    private final Log log;
    private final ClassLoader loader;

    private Main(Api api, Log log, ClassLoader loader) {
        this.api = api;
        this.log = log;
        this.loader = loader;
    }

    /**
     * Its argument is the folder of layers for Java, whose archives are in lib. With "archive" instead: use what
     * functions use, so that the classes of it can be archived.
     */
    public static void main(String[] words) throws Throwable {
        if (words[0].equals("archive")) {
            Rehearsal.run();
            return;
        }
        trust();
        Log log = new Log();
        Field logger = LambdaRuntime.class.getDeclaredField("logger");
        logger.setAccessible(true);
        logger.set(null, log);
        ClassLoader loader = loader(System.getenv("LAMBDA_TASK_ROOT"), words[0]);
        Thread.currentThread().setContextClassLoader(loader);
        Api api;
        try {
            api = new Api(System.getenv("AWS_LAMBDA_RUNTIME_API"));
            Main main = new Main(api, log, loader);
            main.serve(main.begin(System.getenv("_HANDLER")));
        } catch (IOException gone) {
            System.exit(0);  // the environment has ended
        }
    }

    /** Certificates of the cloud, which AWS's own names lead to; unless the function has its own. */
    private static void trust() {
        if (System.getProperty("javax.net.ssl.trustStore") == null && new File(TRUST).exists()) {
            System.setProperty("javax.net.ssl.trustStore", TRUST);
            System.setProperty("javax.net.ssl.trustStoreType", "JKS");
            System.setProperty("javax.net.ssl.trustStorePassword", "changeit");
        }
    }

    /** The classes of the function, then the archives of its folder lib, then those of its layers. */
    static ClassLoader loader(String task, String layers) throws MalformedURLException {
        List<URL> places = new ArrayList<>();
        places.add(new File(task + "/").toURI().toURL());
        for (String folder : new String[] {task + "/lib", layers + "/lib"}) {
            String[] names = new File(folder).list();
            if (names != null) {
                Arrays.sort(names);
                for (String name : names) {
                    if (name.endsWith(".jar")) {
                        places.add(new File(folder, name).toURI().toURL());
                    }
                }
            }
        }
        return new URLClassLoader(places.toArray(new URL[0]), Main.class.getClassLoader());
    }

    private Handlers.Handler begin(String name) throws IOException {
        Handlers.Handler handler = null;
        try {
            handler = Handlers.find(name, loader);
        } catch (Fault fault) {
            write(fault);
            api.phaseError("init", document(fault.getMessage(), fault.kind, null), BAD_CODE);
            System.exit(1);
        }
        if ("snap-start".equals(System.getenv("AWS_LAMBDA_INITIALIZATION_TYPE"))) {
            beSnapshot();
        }
        return handler;
    }

    private void beSnapshot() throws IOException {
        try {
            Core.getGlobalContext().beforeCheckpoint(null);
        } catch (Exception error) {
            hookFailed("init", error, "Runtime.BeforeCheckpointError");
        }
        api.restoreNext();
        try {
            Core.getGlobalContext().afterRestore(null);
        } catch (Exception error) {
            hookFailed("restore", error, "Runtime.AfterRestoreError");
        }
    }

    private void hookFailed(String phase, Exception error, String kind) throws IOException {
        write(Fault.of(error, true));
        api.phaseError(phase, document(Fault.message(error), error.getClass().getName(), error.getStackTrace()), kind);
        System.exit(64);
    }

    private void serve(Handlers.Handler handler) throws IOException {
        ByteArrayOutputStream output = new ByteArrayOutputStream(1024);
        boolean goesOn = true;
        while (goesOn) {
            Api.Answer event = api.next();
            String id = event.header("aws-request-id");
            if (event.header("trace-id") == null) {
                System.clearProperty(TRACE);
            } else {
                System.setProperty(TRACE, event.header("trace-id"));
            }
            output.reset();
            try {
                Invocation context = new Invocation(event, log);
                log.requestId = id;
                log.tenantId = context.getTenantId();
                tellLog4j(id);
                handler.call(new ByteArrayInputStream(event.body), output, context);
                api.respond(id, output.toByteArray());
                Thread.interrupted();
            } catch (Fault fault) {
                goesOn = !fault.fatal;
                api.fail(id, document(fault.getMessage(), fault.kind, null), BAD_CODE, null);
                write(fault);
            } catch (Throwable error) {
                goesOn = !(error instanceof VirtualMachineError || error instanceof IOError);
                Fault.cut(error);
                StackTraceElement[] frames = error.getStackTrace();
                api.fail(id, document(Fault.message(error), error.getClass().getName(), frames), EXCEPTION, cause(error));
                write(Fault.of(error, false));
            }
        }
        api.flush();
        System.exit(1);
    }

    private void write(Fault fault) {
        log.log(fault.report(), log.format == LogFormat.JSON ? LogLevel.ERROR : LogLevel.UNDEFINED);
    }

    /** AWS's Log4j appender wants the request's id in Log4j's own context. */
    private void tellLog4j(String id) {
        if (!LambdaRuntimeInternal.getUseLog4jAppender()) {
            return;
        }
        boolean told = put("org.apache.log4j.MDC", Object.class, id);
        if (!put("org.apache.logging.log4j.ThreadContext", String.class, id) && !told) {
            System.err.println("Customer using log4j appender but unable to load either org.apache.log4j.MDC or"
                    + " org.apache.logging.log4j.ThreadContext. Customer cannot see RequestId in log4j log lines.");
        }
    }

    private boolean put(String name, Class<?> type, String id) {
        try {
            Class.forName(name, true, loader).getMethod("put", String.class, type).invoke(null, "AWSRequestId", id);
            return true;
        } catch (ReflectiveOperationException | LinkageError none) {
            return false;
        }
    }

    private static byte[] document(String message, String kind, StackTraceElement[] frames) {
        Map<String, Object> found = new LinkedHashMap<>();
        found.put("errorMessage", message);
        found.put("errorType", kind);
        if (frames != null) {
            List<String> lines = new ArrayList<>();
            for (StackTraceElement frame : frames) {
                lines.add(frame.toString());
            }
            found.put("stackTrace", lines);
        }
        return json(found).getBytes(StandardCharsets.UTF_8);
    }

    /** What X-Ray is told of an error. */
    private static String cause(Throwable error) {
        List<Object> stack = new ArrayList<>();
        Set<String> paths = new LinkedHashSet<>();
        for (StackTraceElement frame : error.getStackTrace()) {
            String name = frame.getClassName();
            String file = frame.getFileName() == null
                    ? name.substring(name.lastIndexOf('.') + 1) + ".java"
                    : frame.getFileName();
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("label", frame.getMethodName());
            line.put("path", file);
            line.put("line", frame.getLineNumber());
            stack.add(line);
            paths.add(file);
        }
        Map<String, Object> exception = new LinkedHashMap<>();
        exception.put("message", error.getMessage());
        exception.put("type", error.getClass().getName());
        exception.put("stack", stack);
        Map<String, Object> found = new LinkedHashMap<>();
        found.put("working_directory", System.getProperty("user.dir"));
        found.put("exceptions", Collections.singletonList(exception));
        found.put("paths", paths);
        String text = json(found);
        StringBuilder line = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {  // headers hold ASCII
            char each = text.charAt(i);
            line.append(each < 127 ? String.valueOf(each) : String.format("\\u%04x", (int) each));
        }
        return line.toString();
    }

    private static String json(Object value) {
        try {
            return Writer.write(value);
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }
}
