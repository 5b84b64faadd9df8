package com.amazonaws.services.lambda.runtime.events;

import java.util.Date;
import java.util.List;

/** In the shape of AWS's own library of events: names differ from those in JSON, some classes are immutable. */
public class SQSEvent {
    private List<SQSMessage> records;

    public List<SQSMessage> getRecords() { return records; }
    public void setRecords(List<SQSMessage> records) { this.records = records; }

    public static class SQSMessage {
        private String messageId;
        private String eventSourceArn;
        private final Size size;
        private Date sent;

        public SQSMessage(Size size) { this.size = size; }
        public String getMessageId() { return messageId; }
        public void setMessageId(String messageId) { this.messageId = messageId; }
        public String getEventSourceArn() { return eventSourceArn; }
        public void setEventSourceArn(String arn) { this.eventSourceArn = arn; }
        public Size getSize() { return size; }
        public Date getSent() { return sent; }
        public void setSent(Date sent) { this.sent = sent; }
    }

    public static class Size {
        private final Integer bytes;

        public Size(Integer bytes) { this.bytes = bytes; }
        public Integer getBytes() { return bytes; }
    }
}
