package org.litestream4j.spring.app;

import org.springframework.data.repository.CrudRepository;

interface Items extends CrudRepository<Item, Long> {}
