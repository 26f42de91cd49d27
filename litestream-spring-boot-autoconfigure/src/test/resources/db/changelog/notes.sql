--liquibase formatted sql

--changeset notes:1
create table note (id integer primary key, text text not null);
--rollback drop table note;

--changeset notes:2
insert into note (text) values ('from the migration');
