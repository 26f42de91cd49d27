--liquibase formatted sql logicalFilePath:liquid
--changeset test:first
create table if not exists liquid(x);
