package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.Arrays;
import java.util.List;

/** Where a function is. */
public class Places implements RequestHandler<Object, List<String>> {
    @Override
    public List<String> handleRequest(Object event, Context context) {
        return Arrays.asList(System.getProperty("user.dir"), System.getenv("LAMBDA_TASK_ROOT"), "");
    }
}
