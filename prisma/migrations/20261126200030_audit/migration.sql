-- CreateTable
CREATE TABLE "carcosa"."audit_entry" (
    "id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "action" TEXT NOT NULL,
    "outcome" TEXT NOT NULL,
    "code" TEXT,
    "actor_kind" TEXT NOT NULL,
    "actor_id" TEXT,
    "organization_id" TEXT,
    "project_id" TEXT,
    "address" TEXT,
    "request_id" TEXT,
    "target_type" TEXT NOT NULL,
    "target_id" TEXT,
    "details" JSONB,

    CONSTRAINT "audit_entry_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "carcosa"."request_log" (
    "id" BIGSERIAL NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "method" TEXT NOT NULL,
    "pattern" TEXT NOT NULL,
    "path" TEXT NOT NULL,
    "status" INTEGER NOT NULL,
    "code" TEXT,
    "ms" DOUBLE PRECISION NOT NULL,
    "actor_kind" TEXT,
    "actor_id" TEXT,
    "organization_id" TEXT,
    "project_id" TEXT,
    "address" TEXT,
    "request_id" TEXT NOT NULL,

    CONSTRAINT "request_log_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audit_entry_project_id_created_at_id_idx" ON "carcosa"."audit_entry"("project_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "audit_entry_organization_id_created_at_id_idx" ON "carcosa"."audit_entry"("organization_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "audit_entry_actor_id_created_at_id_idx" ON "carcosa"."audit_entry"("actor_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "audit_entry_target_id_created_at_id_idx" ON "carcosa"."audit_entry"("target_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "audit_entry_created_at_id_idx" ON "carcosa"."audit_entry"("created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "request_log_project_id_created_at_id_idx" ON "carcosa"."request_log"("project_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "request_log_organization_id_created_at_id_idx" ON "carcosa"."request_log"("organization_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "request_log_actor_id_created_at_id_idx" ON "carcosa"."request_log"("actor_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "request_log_created_at_id_idx" ON "carcosa"."request_log"("created_at" DESC, "id" DESC);

-- Entries of the audit log are never changed, and deleted for their age alone: by a transaction
-- that says so, with SET LOCAL carcosa.audit_retention = 'on'. Prisma knows no triggers.
CREATE FUNCTION "carcosa"."keep_audit_entry"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('carcosa.audit_retention', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'entries of the audit log are never changed: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER "audit_entry_kept"
    BEFORE UPDATE OR DELETE OR TRUNCATE ON "carcosa"."audit_entry"
    FOR EACH STATEMENT EXECUTE FUNCTION "carcosa"."keep_audit_entry"();
