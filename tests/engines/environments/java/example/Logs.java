package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.LambdaRuntime;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.util.Map;

public class Logs {
    static {
        LambdaRuntime.getLogger().log("early\n");
    }

    public void write(Map<String, Object> event, Context context) {
        System.out.println("printed \u00e4");
        System.err.println("on the other");
        LambdaLogger logger = context.getLogger();
        logger.log("plain");
        logger.log("two\nlines", LogLevel.WARN);
        logger.log("details", LogLevel.DEBUG);
    }
}
