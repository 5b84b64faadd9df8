package cumulo.runtime;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** The Runtime API over one connection. An answer and the wish for the next event go out in one piece. */
final class Api {
    private static final String BASE = "/2018-06-01/runtime";
    private final String host;
    private final InputStream in;
    private final OutputStream out;
    private byte[] received = new byte[16384];
    private int start;
    private int end;
    private byte[] unsent = new byte[0];

    Api(String address) throws IOException {
        int colon = address.lastIndexOf(':');
        String[] parts = address.substring(0, colon).split("\\.");
        byte[] number = new byte[4];
        for (int i = 0; i < 4; i++) {
            number[i] = (byte) Integer.parseInt(parts[i]);
        }
        Socket socket = new Socket(InetAddress.getByAddress(number), Integer.parseInt(address.substring(colon + 1)));
        socket.setTcpNoDelay(true);
        in = socket.getInputStream();
        out = socket.getOutputStream();
        host = "Host: " + address + "\r\n";
    }

    /** Waits for an event. */
    Answer next() throws IOException {
        byte[] wish = ("GET " + BASE + "/invocation/next HTTP/1.1\r\n" + host + "\r\n").getBytes(StandardCharsets.UTF_8);
        boolean answered = unsent.length > 0;
        byte[] whole = Arrays.copyOf(unsent, unsent.length + wish.length);
        System.arraycopy(wish, 0, whole, unsent.length, wish.length);
        unsent = new byte[0];
        out.write(whole);
        if (answered) {
            receive();
        }
        return receive();
    }

    /** The function's answer; it leaves with the next `next`. */
    void respond(String id, byte[] body) {
        unsent = post("/invocation/" + id + "/response", body, "Content-Type: application/json\r\n");
    }

    /** The function's error; it leaves with the next `next` or `flush`. `cause` is for X-Ray, or null. */
    void fail(String id, byte[] document, String kind, String cause) {
        String more = "Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: " + kind + "\r\n";
        if (cause != null && cause.length() < 1024 * 1024) {
            more += "Lambda-Runtime-Function-XRay-Error-Cause: " + cause + "\r\n";
        }
        unsent = post("/invocation/" + id + "/error", document, more);
    }

    void flush() throws IOException {
        if (unsent.length > 0) {
            out.write(unsent);
            unsent = new byte[0];
            receive();
        }
    }

    /** `phase` is "init" or "restore". */
    void phaseError(String phase, byte[] document, String kind) throws IOException {
        out.write(post("/" + phase + "/error", document,
                "Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: " + kind + "\r\n"));
        receive();
    }

    /** Ready for a snapshot; returns after the restore. */
    void restoreNext() throws IOException {
        out.write(("GET " + BASE + "/restore/next HTTP/1.1\r\n" + host + "\r\n").getBytes(StandardCharsets.UTF_8));
        receive();
    }

    private byte[] post(String path, byte[] body, String more) {
        byte[] head = ("POST " + BASE + path + " HTTP/1.1\r\n" + host + more + "Content-Length: " + body.length
                + "\r\n\r\n").getBytes(StandardCharsets.UTF_8);
        byte[] whole = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, whole, head.length, body.length);
        return whole;
    }

    private Answer receive() throws IOException {
        int head = headEnd();
        String[] lines = new String(received, start, head - start, StandardCharsets.UTF_8).split("\r\n");
        Answer answer = new Answer();
        for (int i = 1; i < lines.length; i++) {
            int colon = lines[i].indexOf(": ");
            answer.headers.put(lines[i].substring(0, colon).toLowerCase(Locale.ROOT), lines[i].substring(colon + 2));
        }
        String size = answer.headers.get("content-length");
        int from = head + 4;
        answer.body = new byte[size == null ? 0 : Integer.parseInt(size)];
        int here = Math.min(answer.body.length, end - from);
        System.arraycopy(received, from, answer.body, 0, here);
        start = from + here;
        while (here < answer.body.length) {
            int count = in.read(answer.body, here, answer.body.length - here);
            if (count < 0) {
                throw new EOFException();
            }
            here += count;
        }
        return answer;
    }

    private int headEnd() throws IOException {
        for (int at = start;; at++) {
            while (at + 4 > end) {
                if (start > 0) {
                    System.arraycopy(received, start, received, 0, end - start);
                    at -= start;
                    end -= start;
                    start = 0;
                }
                if (end == received.length) {
                    received = Arrays.copyOf(received, end * 2);
                }
                int count = in.read(received, end, received.length - end);
                if (count < 0) {
                    throw new EOFException();
                }
                end += count;
            }
            if (received[at] == '\r' && received[at + 1] == '\n' && received[at + 2] == '\r' && received[at + 3] == '\n') {
                return at;
            }
        }
    }

    /** A message of the Runtime API. */
    static final class Answer {
        final Map<String, String> headers = new HashMap<>();
        byte[] body;

        String header(String name) {
            return headers.get("lambda-runtime-" + name);
        }
    }
}
