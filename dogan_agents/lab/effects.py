"""The lab's stand-ins for business tables. What must be unique in an ERP is unique here; counts of effects
have no unique key, so that an effect that happened twice shows."""

TABLES = {
	"lab_message": """
		id bigint not null auto_increment primary key,
		message_id varchar(255) not null unique,
		sender_name varchar(255) not null default '',
		sender_address varchar(255) not null default '',
		subject text not null default '',
		text longtext not null default '',
		run varchar(140) null,
		received datetime(6) not null default current_timestamp(6)
	""",
	"lab_lead": """
		id bigint not null auto_increment primary key,
		email varchar(255) not null unique,
		lead_name varchar(255) not null default '',
		message_id varchar(255) not null default ''
	""",
	"lab_reply": """
		id bigint not null auto_increment primary key,
		message_id varchar(255) not null,
		recipient varchar(255) not null,
		subject text not null default '',
		text longtext not null default '',
		index message_id (message_id)
	""",
	"lab_effect": """
		id bigint not null auto_increment primary key,
		task varchar(140) not null,
		step varchar(140) not null,
		token bigint not null,
		index task (task)
	""",
}
