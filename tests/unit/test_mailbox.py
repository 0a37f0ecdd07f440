from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogan_agents.lab.mailbox import CORPUS, Message, make_messages, read_message, real_messages

FILES = sorted(CORPUS.glob("*/*.eml"))
WITHOUT_SENDER = {"raw_email_incorrect_header.eml"}
PIECES = [
	*(b"From: ", b"Subject: ", b"Content-Type: text/html; charset=", b"multipart/mixed; boundary=b", b"--b"),
	*(
		b"\n",
		b"\r\n",
		b"\n\n",
		b"\n ",
		b"=?utf-8?b?",
		b"=?x?q?",
		b"?=",
		b"<![",
		b"<!--",
		b"base64",
		b"a@b",
		b"<",
	),
	*(
		b"utf-7",
		b"idna",
		b"charset*=x''%ff",
		b"Content-Transfer-Encoding: uuencode\n",
		b"begin 644 x\n",
		b"\0",
		b"\xff",
	),
]


def read(name: str) -> Message:
	return read_message((CORPUS / name).read_bytes())


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_real_message_can_be_read(path: Path):
	message = read_message(path.read_bytes())
	assert message.message_id
	assert bool(message.sender_address) == (path.name not in WITHOUT_SENDER)
	"".join((message.sender_name, message.subject, message.text)).encode()


def test_the_corpus_is_complete():
	assert len(list(real_messages())) == len(FILES) == 81


@pytest.mark.parametrize(
	("name", "field", "value"),
	[
		("error_emails/header_fields_with_empty_values.eml", "sender_name", "Jørn Støylen"),
		("error_emails/bad_subject.eml", "sender_name", "MySurvey.com & Carol Adams"),
		("error_emails/missing_body.eml", "text", ""),
		("plain_emails/raw_email.eml", "subject", "NOTE: 한국말로 하는 것"),
		("plain_emails/mix_caps_content_type.eml", "sender_name", "Big Bug"),
		("plain_emails/mix_caps_content_type.eml", "sender_address", "bb@bug.com"),
		("plain_emails/raw_email_multiple_from.eml", "sender_address", "tim@powerupdev.com"),
		("error_emails/content_transfer_encoding_x_uuencode.eml", "sender_address", "lpeters@pacifier.com"),
		("rfc2822/example10.eml", "sender_address", "pete@silly.test"),
		("mime_emails/raw_email7.eml", "text", "This is the first part."),
	],
)
def test_what_is_read(name, field, value):
	assert getattr(read(name), field) == value


def test_html_is_read_as_text():
	raw = b"Content-Type: text/html\n\n<style>p {}</style><p>Fish &amp; chips<br>please</p><!-- <p>no</p> -->"
	assert read_message(raw).text == "Fish & chips\nplease"


def test_a_message_without_id_is_given_the_same_one_each_time():
	assert read_message(b"From: a@b\n\nhello").message_id == read_message(b"From: a@b\n\nhello").message_id
	assert read_message(b"From: a@b\n\nhello").message_id != read_message(b"From: a@b\n\nbye").message_id


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)), max_size=40).map(b"".join))
def test_nothing_stops_the_reader(raw):
	assert isinstance(read_message(raw), Message)


def test_made_messages_have_their_own_ids_and_some_known_senders():
	messages = [read_message(raw) for raw in make_messages(200)]
	senders = {message.sender_address for message in messages}
	assert len({message.message_id for message in messages}) == 200
	assert 100 < len(senders) < 160
	assert all(sender.endswith(".example") for sender in senders)


def test_the_same_seed_makes_the_same_messages():
	assert (
		list(make_messages(20, seed=1)) == list(make_messages(20, seed=1)) != list(make_messages(20, seed=2))
	)


def test_made_messages_keep_what_the_real_ones_said():
	assert {read_message(raw).text for raw in make_messages(81)} >= {
		message.text for message in map(read_message, real_messages()) if message.sender_address
	} - {read("rfc2822/example13.eml").text}
