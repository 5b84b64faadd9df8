package cumulo.runtime;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Runs a small function as the runtime would, against a server of its own, so that its classes are loaded. */
final class Rehearsal {
    private static final String EVENT = "{\"text\":\"a\\u00e4\",\"number\":1,\"real\":1.5,\"list\":[{\"key\":null}],\"yes\":true}";

    private Rehearsal() {
    }

    static void run() throws Throwable {
        Log log = new Log();
        ClassLoader loader = Main.loader("/", "/");
        String[] names = {Typed.class.getName(), Rehearsal.class.getName() + "::plain", Rehearsal.class.getName() + "::streams"};
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
            Thread other = new Thread(() -> serve(server));
            other.setDaemon(true);
            other.start();
            Api api = new Api("127.0.0.1:" + server.getLocalPort());
            for (String name : names) {
                Api.Answer event = api.next();
                Invocation context = new Invocation(event, log);
                ByteArrayOutputStream output = new ByteArrayOutputStream();
                Handlers.find(name, loader).call(new ByteArrayInputStream(event.body), output, context);
                api.respond("1", output.toByteArray());
            }
            api.next();
        }
        log.log("", LogLevel.INFO);
        Fault.of(new IllegalStateException("x"), false).report();
    }

    private static void serve(ServerSocket server) {
        try (Socket socket = server.accept()) {
            InputStream in = socket.getInputStream();
            OutputStream out = socket.getOutputStream();
            String event = "HTTP/1.1 200 OK\r\nLambda-Runtime-Deadline-Ms: 1\r\nLambda-Runtime-Aws-Request-Id: 1\r\n"
                    + "Content-Length: " + EVENT.length() + "\r\n\r\n" + EVENT;
            String accepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
            byte[] buffer = new byte[65536];
            for (int count = in.read(buffer); count > 0; count = in.read(buffer)) {
                String asked = new String(buffer, 0, count, StandardCharsets.UTF_8);
                out.write(((asked.startsWith("POST") ? accepted : "") + event).getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException over) {
            return;
        }
    }

    public static Map<String, Object> plain(Map<String, Object> event, Context context) {
        return event;
    }

    public static void streams(InputStream input, OutputStream output, Context context) throws IOException {
        output.write(input.read());
    }

    /** A handler with classes of its own. */
    public static final class Typed implements RequestHandler<Typed.Event, Typed.Event> {
        @Override
        public Event handleRequest(Event event, Context context) {
            return event;
        }

        /** Its input and output. */
        public static final class Event {
            private String text;
            private int number;
            public double real;
            private List<Map<String, String>> list = new ArrayList<>();

            public String getText() {
                return text;
            }

            public void setText(String text) {
                this.text = text;
            }

            public int getNumber() {
                return number;
            }

            public void setNumber(int number) {
                this.number = number;
            }

            public List<Map<String, String>> getList() {
                return list;
            }

            public void setList(List<Map<String, String>> list) {
                this.list = list;
            }
        }
    }
}
