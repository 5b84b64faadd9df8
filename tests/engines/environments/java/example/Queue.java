package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.events.SQSEvent;

public class Queue implements RequestHandler<SQSEvent, String> {
    @Override
    public String handleRequest(SQSEvent event, Context context) {
        SQSEvent.SQSMessage message = event.getRecords().get(0);
        return message.getMessageId() + " " + message.getEventSourceArn() + " " + message.getSize().getBytes() + " "
                + message.getSent().getTime();
    }
}
