package org.litestream4j.spring.app;

import org.jspecify.annotations.Nullable;
import org.springframework.data.annotation.Id;
import org.springframework.data.relational.core.mapping.Table;

/** For Spring Data JDBC. */
@Table("note")
record NoteRow(@Id @Nullable Long id, String text) {}
