-- The project that everything belongs to until somebody creates others.
INSERT INTO "carcosa"."project" ("id", "name") VALUES ('default', 'Default') ON CONFLICT DO NOTHING;
