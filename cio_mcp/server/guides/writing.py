"""Prompts about what messages say: to write, translate and review it."""

from typing import Annotated

from cio_mcp.server.guides.prompts import prompt


@prompt
def write_email_sequence(
    plan: Annotated[str, "The emails to write: from plan_email_sequence, or what each is to achieve"],
    voice: Annotated[str, "How the company writes, or messages to take as examples"] = "",
) -> str:
    """Write the emails of a sequence as drafts in Design Studio, reviewed and ready for a person to link."""
    how = f" {voice}" if voice else " Take it from what is sent today."
    return f"""\
Write these emails as drafts: {plan}. How the company writes:{how}

1. Learn the voice and the frame. Read two good messages with `get_content` (html=true), the emails there are with
   `list_emails` and `get_email`, and shared parts with `list_components` and `list_workspace_items` (kind=snippet). Reuse
   their frame, footer and unsubscribe link; invent none.
2. Learn what is known of the recipients: `get_customer` for three of them. Use only attributes that most have, each with
   a default, as in {{{{ customer.first_name | default: "there" }}}}.
3. For each email: `create_email` with name, subject (at most 50 characters), preheader (it goes on where the subject
   ends), html and text. One purpose, one link to follow. Fix the faults that the answer lists, with `update_email`.
4. Check each: `review_email`, and fix errors and warnings; `preview_message` (kind=design_studio) for a typical customer
   and for one who lacks the most attributes. Nothing may read oddly with a value missing.
5. Read all of them in order, once more, as a recipient: does each keep what the one before promised?

Answer with a table: email_id, subject, delay since the one before, score of the review, and what a person still has to
decide. Link and publish nothing: a person builds the automation, and then `link_email` and `publish_email` can follow.
"""


@prompt
def translate_message(
    message: Annotated[str, "The message: its kind and id, or the email_id of a Design Studio email"],
    language: Annotated[str, "The language, such as fr"],
    words: Annotated[str, "Words that stay as they are, or that have a fixed translation"] = "",
) -> str:
    """Translate a message into another language, with its variables and links unharmed."""
    fixed = f" Fixed words: {words}." if words else ""
    return f"""\
Translate this message: {message}. Language: {language}.{fixed}

1. Read all of it with `get_content` (html=true), or `get_email` if it was made in Design Studio. Note its variables,
   links, and languages that are there already; if this one is among them, say so and compare before you change it.
2. Translate subject, preheader, body, alternative texts, and plain text. Keep every tag, link, Liquid variable, filter and
   condition exactly; translate the words inside defaults and inside conditions. Dates, numbers and the form of address
   follow the language. A subject keeps to 50 characters.
3. Write it: `create_email` with translates and language for Design Studio, `add_newsletter_text` for a draft newsletter,
   `update_content` with language where the language exists. A language that a campaign, broadcast or transactional
   message lacks is added by a person in Customer.io first. `update_content` changes live mail: call it with
   dry_run=true, and show what differs.
4. Compare: the variables and links of both languages must be the same (`get_content` or `get_email` again). Show it with
   `preview_message` for a customer who speaks the language.

Answer with both texts side by side, what you were unsure of, and what a native speaker should look at. Confirm no change of
a live message yourself.
"""


@prompt
def review_before_publishing(
    email: Annotated[str, "The email_id or the name of a Design Studio email"],
) -> str:
    """Review a Design Studio email before it is published: what changes, for whom, and what is wrong."""
    return f"""\
Review this email of Design Studio before it is published: {email}. Publish nothing.

1. Find it with `list_emails` and read it with `get_email`, in each of its languages: faults, variables that are needed, and
   whether anything is unpublished.
2. Call `review_email` for each language. Name errors first; a warning counts if a recipient would notice it.
3. Show it with `preview_message` (kind=design_studio) for three customers: a typical one, one who lacks most attributes, one
   with long names. Look for empty places, wrong forms of address, and links that lead nowhere.
4. Read the links' hosts and the sender. Is the unsubscribe link there, in each language?
5. Call `publish_email` with dry_run=true, and show exactly what differs from what is published, in each language. A
   difference that nobody asked for is a reason to stop.

Answer "publish" or "do not publish" with the reasons, the worst first, and for each the exact call of `update_email` that
fixes it. If what is published turns out wrong, `restore_email` and `publish_email` bring the version before back.
"""
