package com.amazonaws.services.lambda.crac;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Where resources are registered. org.crac finds this class by the property org.crac.Core.Compat. */
public final class Core {
    private static final Context<Resource> GLOBAL = new Registered();

    private Core() {
    }

    public static Context<Resource> getGlobalContext() {
        return GLOBAL;
    }

    public static void checkpointRestore() {
        throw new UnsupportedOperationException();
    }

    /** Told in the reverse order of registration before a snapshot, in that order after it. */
    private static final class Registered extends Context<Resource> {
        private final List<Resource> resources = new ArrayList<>();

        @Override
        public synchronized void register(Resource resource) {
            resources.add(resource);
        }

        @Override
        public synchronized void beforeCheckpoint(Context<? extends Resource> context) throws CheckpointException {
            List<Resource> backwards = new ArrayList<>(resources);
            Collections.reverse(backwards);
            CheckpointException failed = new CheckpointException();
            for (Resource each : backwards) {
                try {
                    each.beforeCheckpoint(this);
                } catch (CheckpointException inner) {
                    for (Throwable cause : inner.getSuppressed()) {
                        failed.addSuppressed(cause);
                    }
                } catch (Exception inner) {
                    failed.addSuppressed(inner);
                }
            }
            if (failed.getSuppressed().length > 0) {
                throw failed;
            }
            System.gc();
        }

        @Override
        public synchronized void afterRestore(Context<? extends Resource> context) throws RestoreException {
            RestoreException failed = new RestoreException();
            for (Resource each : new ArrayList<>(resources)) {
                try {
                    each.afterRestore(this);
                } catch (RestoreException inner) {
                    for (Throwable cause : inner.getSuppressed()) {
                        failed.addSuppressed(cause);
                    }
                } catch (Exception inner) {
                    failed.addSuppressed(inner);
                }
            }
            if (failed.getSuppressed().length > 0) {
                throw failed;
            }
        }
    }
}
