package org.litestream4j.spring;

import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import liquibase.Contexts;
import liquibase.LabelExpression;
import liquibase.Liquibase;
import liquibase.changelog.ChangeSet;
import liquibase.integration.spring.SpringLiquibase;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationInfo;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.flyway.autoconfigure.FlywayMigrationInitializer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.util.ReflectionUtils;

/** Sets marks before Flyway and Liquibase run. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnProperty(name = "litestream.marks.before-migration", havingValue = "true")
class BeforeMigrationConfiguration {

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass({Flyway.class, FlywayMigrationInitializer.class})
    static class FlywayMarks {

        @Bean
        static BeanPostProcessor litestreamMarkBeforeFlyway(
                ObjectProvider<ReplicatedDatabases> databases,
                ObjectProvider<LitestreamProperties> properties,
                ObjectProvider<Flyway> flyways) {
            MarkBeforeMigration marks = new MarkBeforeMigration(databases::getObject, properties::getObject);
            return new BeanPostProcessor() {
                @Override
                public Object postProcessBeforeInitialization(Object bean, String name) {
                    if (bean instanceof FlywayMigrationInitializer) {
                        flyways.orderedStream().forEach(flyway -> before(marks, flyway));
                    }
                    return bean;
                }
            };
        }

        private static void before(MarkBeforeMigration marks, Flyway flyway) {
            DataSource dataSource = flyway.getConfiguration().getDataSource();
            if (dataSource != null) {
                marks.run(dataSource, () -> {
                    MigrationInfo[] pending = flyway.info().pending();
                    return pending.length == 0 ? Optional.empty() : Optional.of(version(pending[0]));
                });
            }
        }

        private static String version(MigrationInfo migration) {
            return migration.getVersion() == null
                    ? "repeatable"
                    : migration.getVersion().getVersion();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(SpringLiquibase.class)
    static class LiquibaseMarks {

        @Bean
        static BeanPostProcessor litestreamMarkBeforeLiquibase(
                ObjectProvider<ReplicatedDatabases> databases, ObjectProvider<LitestreamProperties> properties) {
            MarkBeforeMigration marks = new MarkBeforeMigration(databases::getObject, properties::getObject);
            return new BeanPostProcessor() {
                @Override
                public Object postProcessBeforeInitialization(Object bean, String name) {
                    if (bean instanceof SpringLiquibase liquibase && liquibase.getDataSource() != null) {
                        marks.run(liquibase.getDataSource(), () -> pending(liquibase));
                    }
                    return bean;
                }
            };
        }

        /** Looks for the table of applied change sets first: without it, Liquibase would create it. */
        private static Optional<String> pending(SpringLiquibase spring) throws Exception {
            try (Connection connection = spring.getDataSource().getConnection()) {
                if (!hasHistory(connection, spring.getDatabaseChangeLogTable())) {
                    return Optional.of("first");
                }
            }
            Connection connection = spring.getDataSource().getConnection();
            Method create = ReflectionUtils.findMethod(SpringLiquibase.class, "createLiquibase", Connection.class);
            if (create == null) {
                connection.close();
                throw new IllegalStateException("this version of Liquibase is not supported");
            }
            ReflectionUtils.makeAccessible(create);
            try (Liquibase liquibase = (Liquibase) create.invoke(spring, connection)) { // closes the connection
                List<ChangeSet> pending = liquibase.listUnrunChangeSets(
                        new Contexts(spring.getContexts()), new LabelExpression(spring.getLabelFilter()));
                return pending.stream().map(ChangeSet::getId).findFirst();
            } finally {
                connection.close();
            }
        }

        private static boolean hasHistory(Connection connection, String table) throws SQLException {
            String name = table == null ? "DATABASECHANGELOG" : table;
            try (Statement statement = connection.createStatement();
                    ResultSet result = statement.executeQuery("select name from sqlite_master where type = 'table'")) {
                while (result.next()) {
                    if (result.getString(1).equalsIgnoreCase(name)) {
                        return true;
                    }
                }
                return false;
            }
        }
    }
}
