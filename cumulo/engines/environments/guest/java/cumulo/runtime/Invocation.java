package cumulo.runtime;

import com.amazonaws.services.lambda.runtime.Client;
import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.CognitoIdentity;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaLogger;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a function is told of an invocation. */
final class Invocation implements Context {
    private final Api.Answer event;
    private final LambdaLogger logger;
    private final long deadline;
    private final CognitoIdentity identity;
    private final ClientContext client;

    Invocation(Api.Answer event, LambdaLogger logger) {
        this.event = event;
        this.logger = logger;
        deadline = Long.parseLong(event.header("deadline-ms"));
        identity = identity(document(event.header("cognito-identity")));
        client = client(document(event.header("client-context")));
    }

    @Override
    public String getAwsRequestId() {
        return event.header("aws-request-id");
    }

    @Override
    public String getLogGroupName() {
        return System.getenv("AWS_LAMBDA_LOG_GROUP_NAME");
    }

    @Override
    public String getLogStreamName() {
        return System.getenv("AWS_LAMBDA_LOG_STREAM_NAME");
    }

    @Override
    public String getFunctionName() {
        return System.getenv("AWS_LAMBDA_FUNCTION_NAME");
    }

    @Override
    public String getFunctionVersion() {
        return System.getenv("AWS_LAMBDA_FUNCTION_VERSION");
    }

    @Override
    public String getInvokedFunctionArn() {
        return event.header("invoked-function-arn");
    }

    @Override
    public CognitoIdentity getIdentity() {
        return identity;
    }

    @Override
    public ClientContext getClientContext() {
        return client;
    }

    @Override
    public int getRemainingTimeInMillis() {
        return (int) Math.max(0, deadline - System.currentTimeMillis());
    }

    @Override
    public int getMemoryLimitInMB() {
        return Integer.parseInt(System.getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"));
    }

    @Override
    public LambdaLogger getLogger() {
        return logger;
    }

    @Override
    public String getTenantId() {
        return event.header("aws-tenant-id");
    }

    @Override
    public String getXrayTraceId() {
        return event.header("trace-id");
    }

    private static Map<?, ?> document(String header) {
        Object found = header == null || header.isEmpty() ? null : Json.read(header);
        return found instanceof Map ? (Map<?, ?>) found : null;
    }

    private static String text(Map<?, ?> map, String name) {
        Object found = map == null ? null : map.get(name);
        return found == null ? null : String.valueOf(found);
    }

    private static Map<String, String> texts(Object given) {
        if (!(given instanceof Map)) {
            return null;
        }
        Map<String, String> found = new LinkedHashMap<>();
        for (Object name : ((Map<?, ?>) given).keySet()) {
            found.put((String) name, text((Map<?, ?>) given, (String) name));
        }
        return found;
    }

    private static CognitoIdentity identity(Map<?, ?> given) {
        String id = text(given, "cognitoIdentityId");
        String pool = text(given, "cognitoIdentityPoolId");
        return given == null ? null : new CognitoIdentity() {
            @Override
            public String getIdentityId() {
                return id;
            }

            @Override
            public String getIdentityPoolId() {
                return pool;
            }
        };
    }

    private static ClientContext client(Map<?, ?> given) {
        if (given == null) {
            return null;
        }
        Map<?, ?> application = given.get("client") instanceof Map ? (Map<?, ?>) given.get("client") : null;
        Map<String, String> custom = texts(given.get("custom"));
        Map<String, String> environment = texts(given.get("env"));
        return new ClientContext() {
            @Override
            public Client getClient() {
                return application == null ? null : new Application(application);
            }

            @Override
            public Map<String, String> getCustom() {
                return custom;
            }

            @Override
            public Map<String, String> getEnvironment() {
                return environment;
            }
        };
    }

    private static final class Application implements Client {
        private final Map<?, ?> given;

        Application(Map<?, ?> given) {
            this.given = given;
        }

        @Override
        public String getInstallationId() {
            return text(given, "installation_id");
        }

        @Override
        public String getAppTitle() {
            return text(given, "app_title");
        }

        @Override
        public String getAppVersionName() {
            return text(given, "app_version_name");
        }

        @Override
        public String getAppVersionCode() {
            return text(given, "app_version_code");
        }

        @Override
        public String getAppPackageName() {
            return text(given, "app_package_name");
        }
    }
}
