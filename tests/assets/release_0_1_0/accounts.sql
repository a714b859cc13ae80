BEGIN TRANSACTION;
CREATE TABLE access_accounts (
	name VARCHAR(128) NOT NULL, 
	roles VARCHAR(256) NOT NULL, 
	password_hash VARCHAR(512), 
	disabled BOOLEAN NOT NULL, 
	failed_attempts INTEGER NOT NULL, 
	locked_until DOUBLE NOT NULL, 
	created DOUBLE NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "access_accounts" VALUES('marta','scientist,viewer','$argon2id$v=19$m=65536,t=3,p=4$WBhftL/MrP6e6G+ne9GZww$Ylwgf1ALQKAJx+VqMc27mBKwUF3P/Sn2kgvkIKi8YwM',0,0,0.0,1795000000.0);
INSERT INTO "access_accounts" VALUES('robot','clinician',NULL,0,0,0.0,1795000000.0);
CREATE TABLE access_schema (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "access_schema" VALUES(1);
CREATE TABLE access_sessions (
	secret_sha256 VARCHAR(64) NOT NULL, 
	account VARCHAR(128) NOT NULL, 
	csrf_sha256 VARCHAR(64) NOT NULL, 
	created DOUBLE NOT NULL, 
	expires DOUBLE NOT NULL, 
	revoked DOUBLE, 
	PRIMARY KEY (secret_sha256), 
	FOREIGN KEY(account) REFERENCES access_accounts (name)
);
CREATE TABLE access_tokens (
	id VARCHAR(16) NOT NULL, 
	account VARCHAR(128) NOT NULL, 
	name VARCHAR(128) NOT NULL, 
	secret_sha256 VARCHAR(64) NOT NULL, 
	scopes VARCHAR(512) NOT NULL, 
	created DOUBLE NOT NULL, 
	expires DOUBLE NOT NULL, 
	revoked DOUBLE, 
	last_used DOUBLE, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account) REFERENCES access_accounts (name), 
	UNIQUE (secret_sha256)
);
INSERT INTO "access_tokens" VALUES('73b7b550ecab','robot','','a6ebded7fe80a76cbffa0bff77d98b3474faddfd0ae05a8f2666de13e03b436b','',1795000000.0,1797592000.0,NULL,NULL);
CREATE INDEX ix_access_tokens_account ON access_tokens (account);
CREATE INDEX ix_access_sessions_account ON access_sessions (account);
COMMIT;
