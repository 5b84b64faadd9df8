package example;

import com.amazonaws.services.lambda.crac.Context;
import com.amazonaws.services.lambda.crac.Core;
import com.amazonaws.services.lambda.crac.Resource;
import java.util.ArrayList;
import java.util.List;

/** Hooks of SnapStart. */
public class Hooks {
    private static final List<String> TOLD = new ArrayList<>();

    private static final class Hook implements Resource {
        private final String name;

        Hook(String name) { this.name = name; }

        @Override
        public void beforeCheckpoint(Context<? extends Resource> context) { TOLD.add("before " + name); }

        @Override
        public void afterRestore(Context<? extends Resource> context) throws Exception {
            TOLD.add("after " + name);
            if (System.getenv("FAILS") != null) {
                throw new IllegalStateException("no connection");
            }
        }
    }

    public Hooks() {
        Core.getGlobalContext().register(new Hook("one"));
        Core.getGlobalContext().register(new Hook("two"));
    }

    public List<String> told(Object event) { return TOLD; }
}
