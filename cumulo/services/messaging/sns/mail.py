"""Mail to `email` and `email-json` subscriptions: written as .eml files into the data directory's `mail` folder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import task
from cumulo.services.messaging.sns import captures, deliveries, envelopes, messages, notifications, sealing
from cumulo.services.messaging.sns.topics import TOPICS

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.messages import Message

SENDER = "no-reply@sns.amazonaws.com"
SERVICE_NAME = "AWS Notifications"
_DEFAULT_SUBJECT = "AWS Notification Message"
_FOOTER = (
    "\n\n--\nIf you wish to stop receiving notifications from this topic, please click or visit the link below to "
    "unsubscribe:\n{url}\n\nPlease do not reply directly to this email.\n"
)


@task
async def deliver_to_mailbox(ctx: Context, payload: dict[str, Any]) -> None:
    """Write the mail of a message: its text with a way out below, or the notification's JSON."""

    def prepare(ctx: Context) -> tuple[str, str, str, str] | None:
        subscription = deliveries.to_send(ctx, payload)
        if subscription is None:
            return None
        message = sealing.opened(ctx, payload["message"])
        topic = TOPICS.peek(ctx, subscription.topic, account=subscription.account)
        name = (topic.attributes.get("DisplayName") if topic is not None else "") or SERVICE_NAME
        if subscription.protocol == "email-json":
            return subscription.endpoint, name, notifications.notification(ctx, subscription, message), subscription.id
        url = envelopes.unsubscribe_url(message["endpoint"], subscription.arn)
        text = messages.text_for(message, "email") + _FOOTER.format(url=url)
        return subscription.endpoint, name, text, subscription.id

    ready = await ctx.transact(prepare)
    if ready is None:
        return
    to, name, text, subscription_id = ready
    message: Message = payload["message"]
    subject = message.get("subject") or _DEFAULT_SUBJECT
    await _write(ctx, f"{message['id']}-{subscription_id[:8]}", to, name, subject, text)


@task
async def confirm_by_mail(ctx: Context, payload: dict[str, Any]) -> None:
    """Write the mail that asks to confirm a subscription, or says that one ended."""
    members: dict[str, str] = payload["members"]
    ending = members["Type"] == "UnsubscribeConfirmation"
    if payload["protocol"] == "email-json":
        text = await ctx.transact(lambda ctx: notifications.confirmation(ctx, members, payload["version"]))
    else:
        what = "restore" if ending else "confirm"
        said = "Your subscription has been deactivated to" if ending else "You have chosen to subscribe to"
        text = (
            f"{said} the topic:\n{members['TopicArn']}\n\nTo {what} this subscription, click or visit the link below "
            f"(If this was in error no action is necessary):\n{members['SubscribeURL']}\n"
        )
    subject = f"AWS Notification - {'Unsubscribe' if ending else 'Subscription'} Confirmation"
    await _write(ctx, members["MessageId"], payload["endpoint"], SERVICE_NAME, subject, text)


async def _write(ctx: Context, name: str, to: str, sender: str, subject: str, text: str) -> None:
    from email.headerregistry import Address
    from email.message import EmailMessage
    from email.policy import SMTP

    mail = EmailMessage(policy=SMTP)
    user, _, domain = SENDER.partition("@")
    mail["From"] = Address(sender, user, domain)
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = datetime.fromtimestamp(int(ctx.now()), UTC)
    mail["Message-ID"] = f"<{name}@sns.amazonaws.com>"
    mail.set_content(text)
    path = await captures.file(ctx, "mail", f"{name}.eml", mail.as_bytes())
    ctx.logger.info("mail to %s: %s (%s)", to, subject, path)
