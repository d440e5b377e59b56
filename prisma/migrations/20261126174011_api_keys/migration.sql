-- CreateTable
CREATE TABLE "carcosa"."api_key" (
    "id" TEXT NOT NULL,
    "project_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "mode" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "scopes" JSONB,
    "allowed_addresses" TEXT[],
    "prefix" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "previous_prefix" TEXT,
    "previous_hash" TEXT,
    "previous_until" TIMESTAMPTZ(3),
    "created_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "rotated_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_key_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "api_key_prefix_key" ON "carcosa"."api_key"("prefix");

-- CreateIndex
CREATE UNIQUE INDEX "api_key_previous_prefix_key" ON "carcosa"."api_key"("previous_prefix");

-- CreateIndex
CREATE INDEX "api_key_project_id_created_at_id_idx" ON "carcosa"."api_key"("project_id", "created_at" DESC, "id" DESC);

-- AddForeignKey
ALTER TABLE "carcosa"."api_key" ADD CONSTRAINT "api_key_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "carcosa"."project"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
