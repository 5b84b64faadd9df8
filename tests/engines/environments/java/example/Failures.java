package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What goes wrong. */
public class Failures {
    public String fails(Map<String, Object> event) {
        throw new IllegalStateException("not now", new RuntimeException("inner"));
    }

    public String silent(Map<String, Object> event) throws Exception {
        throw new Exception();
    }

    public int exits(Map<String, Object> event) {
        System.exit(3);
        return 0;
    }

    public int sleeps(Map<String, Object> event) throws InterruptedException {
        Thread.sleep(60_000);
        return 0;
    }

    public int fills(Map<String, Object> event) {
        List<byte[]> all = new ArrayList<>();
        while (true) {
            all.add(new byte[1 << 20]);
        }
    }

    public int overflows(Map<String, Object> event) {
        return overflows(event) + 1;
    }

    public static class Loops {
        public Loops getSelf() { return this; }
    }

    public Loops cycle(Map<String, Object> event) { return new Loops(); }

    public static class Broken implements RequestHandler<String, String> {
        public Broken() {
            throw new IllegalArgumentException("no configuration");
        }

        @Override
        public String handleRequest(String event, Context context) { return event; }
    }

    public static class Static {
        static final int VALUE = Integer.parseInt("x");

        public int handle() { return VALUE; }
    }

    public class Inner implements RequestHandler<String, String> {
        @Override
        public String handleRequest(String event, Context context) { return event; }
    }

    public static class Raw {
    }
}
