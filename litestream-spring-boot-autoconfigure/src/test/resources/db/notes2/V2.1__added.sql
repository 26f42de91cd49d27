alter table note add column added text;
