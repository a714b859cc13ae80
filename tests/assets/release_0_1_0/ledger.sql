BEGIN TRANSACTION;
CREATE TABLE ledger_entries (
	seq INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	event TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	who TEXT NOT NULL, 
	origin TEXT NOT NULL, 
	request_id TEXT NOT NULL, 
	act TEXT NOT NULL, 
	details TEXT NOT NULL, 
	previous TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "ledger_entries" VALUES(1,'2026-11-23T01:50:20.639474+00:00','account_created','done','operadora','cli operadora@servidor','','5ab384aa9cad44b9bd8bae46f2d8b02e','{"account":"marta","role":"scientist,viewer"}','0000000000000000000000000000000000000000000000000000000000000000','b9b2b8eb91de509c5f9746d257e86e4e48a571cfa0d57ce0411e7d40b4e38e02');
INSERT INTO "ledger_entries" VALUES(2,'2026-11-23T01:50:20.639977+00:00','account_created','done','operadora','cli operadora@servidor','','6cb191c78a5544b094b046cd745ab8cb','{"account":"robot","role":"clinician"}','b9b2b8eb91de509c5f9746d257e86e4e48a571cfa0d57ce0411e7d40b4e38e02','c89bbe42d7171e887e7814b6c69fcde9eddae703f89d45ba211270346f45b1ff');
INSERT INTO "ledger_entries" VALUES(3,'2026-11-23T01:50:20.640031+00:00','token_created','done','operadora','cli operadora@servidor','','b3acf1f6fe974e9cb0055b29f6c91c96','{"owner":"robot","token":"73b7b550ecab"}','c89bbe42d7171e887e7814b6c69fcde9eddae703f89d45ba211270346f45b1ff','1a58546da0e362a5e029d1160b608d1d70643d18d32e64943c17ad2cf63c6b93');
INSERT INTO "ledger_entries" VALUES(4,'2026-11-23T01:50:20.640175+00:00','login','done','marta','127.0.0.1','','19e6a02cd7f44c618cb8ce47fd200b24','{"method":"basic"}','1a58546da0e362a5e029d1160b608d1d70643d18d32e64943c17ad2cf63c6b93','fcbb646f6ec8a10a6a191dd647008916d9375770a2e2e7479ab0c6b5a6450608');
CREATE TRIGGER ledger_keeps_update BEFORE UPDATE ON ledger_entries
            BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_keeps_delete BEFORE DELETE ON ledger_entries
            BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_continues BEFORE INSERT ON ledger_entries
            WHEN NEW.seq IS NOT coalesce((SELECT max(seq) FROM ledger_entries), 0) + 1
              OR NEW.previous IS NOT
                 coalesce((SELECT hash FROM ledger_entries ORDER BY seq DESC LIMIT 1), printf('%064d', 0))
            BEGIN SELECT RAISE(ABORT, 'an entry continues the last one'); END;
COMMIT;
