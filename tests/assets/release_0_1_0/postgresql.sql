SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE FUNCTION public.ledger_continue() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ DECLARE final record;
            BEGIN
                SELECT seq, hash INTO final FROM ledger_entries ORDER BY seq DESC LIMIT 1;
                IF NEW.seq IS DISTINCT FROM coalesce(final.seq, 0) + 1
                   OR NEW.previous IS DISTINCT FROM coalesce(final.hash, repeat('0', 64)) THEN
                    RAISE EXCEPTION 'an entry continues the last one';
                END IF;
                RETURN NEW;
            END $$;
ALTER FUNCTION public.ledger_continue() OWNER TO sirena_owner;
CREATE FUNCTION public.ledger_keep() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
ALTER FUNCTION public.ledger_keep() OWNER TO sirena_owner;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.access_accounts (
    name character varying(128) NOT NULL,
    roles character varying(256) NOT NULL,
    password_hash character varying(512),
    disabled boolean NOT NULL,
    failed_attempts integer NOT NULL,
    locked_until double precision NOT NULL,
    created double precision NOT NULL
);
ALTER TABLE public.access_accounts OWNER TO sirena;
CREATE TABLE public.access_schema (
    version integer NOT NULL
);
ALTER TABLE public.access_schema OWNER TO sirena;
CREATE SEQUENCE public.access_schema_version_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER TABLE public.access_schema_version_seq OWNER TO sirena;
ALTER SEQUENCE public.access_schema_version_seq OWNED BY public.access_schema.version;
CREATE TABLE public.access_sessions (
    secret_sha256 character varying(64) NOT NULL,
    account character varying(128) NOT NULL,
    csrf_sha256 character varying(64) NOT NULL,
    created double precision NOT NULL,
    expires double precision NOT NULL,
    revoked double precision
);
ALTER TABLE public.access_sessions OWNER TO sirena;
CREATE TABLE public.access_tokens (
    id character varying(16) NOT NULL,
    account character varying(128) NOT NULL,
    name character varying(128) NOT NULL,
    secret_sha256 character varying(64) NOT NULL,
    scopes character varying(512) NOT NULL,
    created double precision NOT NULL,
    expires double precision NOT NULL,
    revoked double precision,
    last_used double precision
);
ALTER TABLE public.access_tokens OWNER TO sirena;
CREATE TABLE public.ledger_entries (
    seq bigint NOT NULL,
    at text NOT NULL,
    event text NOT NULL,
    outcome text NOT NULL,
    who text NOT NULL,
    origin text NOT NULL,
    request_id text NOT NULL,
    act text NOT NULL,
    details text NOT NULL,
    previous text NOT NULL,
    hash text NOT NULL
);
ALTER TABLE public.ledger_entries OWNER TO sirena_owner;
ALTER TABLE ONLY public.access_schema ALTER COLUMN version SET DEFAULT nextval('public.access_schema_version_seq'::regclass);
INSERT INTO public.access_accounts VALUES ('marta', 'scientist,viewer', '$argon2id$v=19$m=65536,t=3,p=4$Yh6vtIFJwNv5Co1Egj822Q$wFcQWL/Wo8E9bzBls/kza9WGJexYDcspBYALS8546fk', false, 0, 0, 1795000000);
INSERT INTO public.access_accounts VALUES ('robot', 'clinician', NULL, false, 0, 0, 1795000000);
INSERT INTO public.access_schema VALUES (1);
INSERT INTO public.access_tokens VALUES ('aad9827771ab', 'robot', '', 'd8971fc19412b24d265bb5c2a2b1c4e4658a2c031d072ead81fe99887d31c7f0', '', 1795000000, 1797592000, NULL, NULL);
INSERT INTO public.ledger_entries VALUES (1, '2026-11-23T01:50:23.556457+00:00', 'account_created', 'done', 'operadora', 'cli operadora@servidor', '', '56f19dd2484840b99e1ee346e32400bb', '{"account":"marta","role":"scientist,viewer"}', '0000000000000000000000000000000000000000000000000000000000000000', 'e6a22b462ca613319f6dbfda796bdfc8ee57e2b71ed76c2fec55954a07f734e8');
INSERT INTO public.ledger_entries VALUES (2, '2026-11-23T01:50:23.556513+00:00', 'account_created', 'done', 'operadora', 'cli operadora@servidor', '', '4ff8d04869fa494aab163ef0d1747114', '{"account":"robot","role":"clinician"}', 'e6a22b462ca613319f6dbfda796bdfc8ee57e2b71ed76c2fec55954a07f734e8', '3c8b81c95559600d97adf1bab051a94c4fec49c3257dea0d50772c2df81ffdfb');
INSERT INTO public.ledger_entries VALUES (3, '2026-11-23T01:50:23.556541+00:00', 'token_created', 'done', 'operadora', 'cli operadora@servidor', '', 'b07a417001674aeabbf7b6f7bb7de239', '{"owner":"robot","token":"aad9827771ab"}', '3c8b81c95559600d97adf1bab051a94c4fec49c3257dea0d50772c2df81ffdfb', '126885e8f4992a1384b7bb9c7ff7aa42df4a306fe372b7890cd46fafbed086fb');
INSERT INTO public.ledger_entries VALUES (4, '2026-11-23T01:50:23.556573+00:00', 'login', 'done', 'marta', '127.0.0.1', '', '82adb66cb19149f1a0ae83127e4abe6c', '{"method":"basic"}', '126885e8f4992a1384b7bb9c7ff7aa42df4a306fe372b7890cd46fafbed086fb', 'c8369e52bbf252f66c8dd338a1ef8a1edeecc4b7dfc9bddc247f51f9841d4a19');
SELECT pg_catalog.setval('public.access_schema_version_seq', 1, false);
ALTER TABLE ONLY public.access_accounts
    ADD CONSTRAINT access_accounts_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.access_schema
    ADD CONSTRAINT access_schema_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.access_sessions
    ADD CONSTRAINT access_sessions_pkey PRIMARY KEY (secret_sha256);
ALTER TABLE ONLY public.access_tokens
    ADD CONSTRAINT access_tokens_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.access_tokens
    ADD CONSTRAINT access_tokens_secret_sha256_key UNIQUE (secret_sha256);
ALTER TABLE ONLY public.ledger_entries
    ADD CONSTRAINT ledger_entries_pkey PRIMARY KEY (seq);
CREATE INDEX ix_access_sessions_account ON public.access_sessions USING btree (account);
CREATE INDEX ix_access_tokens_account ON public.access_tokens USING btree (account);
CREATE TRIGGER ledger_continues BEFORE INSERT ON public.ledger_entries FOR EACH ROW EXECUTE FUNCTION public.ledger_continue();
ALTER TABLE public.ledger_entries ENABLE ALWAYS TRIGGER ledger_continues;
CREATE TRIGGER ledger_keeps BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_keep();
ALTER TABLE public.ledger_entries ENABLE ALWAYS TRIGGER ledger_keeps;
ALTER TABLE ONLY public.access_sessions
    ADD CONSTRAINT access_sessions_account_fkey FOREIGN KEY (account) REFERENCES public.access_accounts(name);
ALTER TABLE ONLY public.access_tokens
    ADD CONSTRAINT access_tokens_account_fkey FOREIGN KEY (account) REFERENCES public.access_accounts(name);
GRANT ALL ON SCHEMA public TO sirena;
GRANT ALL ON SCHEMA public TO sirena_owner;
GRANT SELECT,INSERT ON TABLE public.ledger_entries TO sirena;
