package cumulo.runtime;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/** What a function did wrong, as the runtime itself words it. */
final class Fault extends RuntimeException {
    private static final long serialVersionUID = 1;
    private static final String HERE = Fault.class.getPackage().getName() + ".";

    final String kind;
    final String trace;
    /** The environment ends with it. */
    final boolean fatal;

    Fault(String message, String kind, String trace, boolean fatal) {
        super(message);
        this.kind = kind;
        this.trace = trace;
        this.fatal = fatal;
    }

    Fault(String message) {
        this(message, null, null, false);
    }

    static Fault of(Throwable error, boolean fatal) {
        return new Fault(message(error), error.getClass().getName(), traced(error), fatal);
    }

    static Fault loading(Throwable error, String name) {
        String more = error.getMessage() == null ? "" : ": " + error.getMessage();
        return new Fault("Error loading class " + name + more, error.getClass().getName(), traced(error), true);
    }

    static String message(Throwable error) {
        return error.getLocalizedMessage() == null ? error.getClass().getName() : error.getLocalizedMessage();
    }

    /** What the log is told. */
    String report() {
        if (kind == null && trace == null) {
            return getMessage() + "\n";
        }
        return getMessage() + ": " + (kind == null ? "" : kind) + "\n" + (trace == null ? "" : trace) + "\n";
    }

    private static String traced(Throwable error) {
        StringWriter text = new StringWriter();
        cut(error).printStackTrace(new PrintWriter(text, true));
        return text.toString();
    }

    /** Takes the runtime's own frames, and what is below them, out of an error and of all that belong to it. */
    static <T extends Throwable> T cut(T error) {
        cut(error, Collections.newSetFromMap(new IdentityHashMap<>()));
        return error;
    }

    private static void cut(Throwable error, Set<Throwable> seen) {
        if (error == null || !seen.add(error)) {
            return;
        }
        StackTraceElement[] frames = error.getStackTrace();
        for (int i = 0; i < frames.length; i++) {
            if (frames[i].getClassName().startsWith(HERE)) {
                error.setStackTrace(Arrays.copyOf(frames, i));
                break;
            }
        }
        cut(error.getCause(), seen);
        for (Throwable each : error.getSuppressed()) {
            cut(each, seen);
        }
    }
}
