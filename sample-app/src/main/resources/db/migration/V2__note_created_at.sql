create index note_created_at on note (created_at);
