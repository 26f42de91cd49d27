package org.litestream4j.spring.app;

import org.springframework.data.repository.CrudRepository;

interface NoteRows extends CrudRepository<NoteRow, Long> {}
