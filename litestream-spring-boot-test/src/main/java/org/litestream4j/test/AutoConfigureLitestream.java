package org.litestream4j.test;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.litestream4j.spring.LitestreamAutoConfiguration;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.test.annotation.DirtiesContext;

/**
 * Gives a test class its own replicas, local states and database files, in a temporary folder that is deleted when the
 * context is closed, which happens after the last test of the class. Also adds Litestream to sliced tests such as
 * {@code @JdbcTest}, and makes them use the application's own database instead of an embedded one.
 *
 * <p>These settings of the application are overridden, wherever they come from: {@code litestream.replica.url},
 * {@code litestream.meta-path}, {@code replica.url}, {@code meta-path} and {@code path} of each entry of
 * {@code litestream.databases}, {@code url} and {@code hydration.path} of each entry of
 * {@code litestream.read-replicas}, {@code spring.datasource.url}, and each JDBC URL that names one of these database
 * files. A read
 * replica reads an empty database. If a replica, a read replica or a local state is outside of the folder nevertheless, for example because of a
 * bean with connection details, the context fails before anything is read or written there. Other
 * {@code DataSource} beans open the files that their own settings name.
 *
 * <p>Tests that roll back their transaction replicate nothing. Sliced tests therefore need
 * {@code @Transactional(propagation = Propagation.NOT_SUPPORTED)}.
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@ImportAutoConfiguration(LitestreamAutoConfiguration.class)
@DirtiesContext
public @interface AutoConfigureLitestream {

    /** Returns whether the databases of this class are replicated. If false, Litestream creates no beans. */
    boolean enabled() default true;

    /**
     * Returns whether the application's database, {@code spring.datasource.url}, is put into the temporary folder. If
     * false, the settings of the test name its file.
     */
    boolean database() default true;
}
