--liquibase formatted sql
--changeset test:first
create table if not exists liquid(x);
