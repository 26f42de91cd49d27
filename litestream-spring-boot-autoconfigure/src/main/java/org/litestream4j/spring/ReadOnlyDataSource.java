package org.litestream4j.spring;

import javax.sql.DataSource;

/** A {@code DataSource} that reads a replica, so that nothing of it is replicated. */
public interface ReadOnlyDataSource extends DataSource {}
