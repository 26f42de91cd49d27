package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionTemplate;

/** Which commits wait for the replica: the settings, and the labels of transactions. */
class TransactionDurabilityTest extends TransactionDurabilityFixture {

    @Test
    void labels_beatTheDefaultAsync() {
        application().run(context -> {
            SeenWaits seen = new SeenWaits(context);
            seen.assertWaits(0, () -> seen.orders.add());
            seen.assertWaits(1, () -> seen.orders.addReplicated());
            seen.assertWaits(0, () -> seen.orders.add());
            seen.assertWaits(
                    0, () -> seen.jdbc.sql("insert into orders values (1)").update());
            assertThat(seen.database.status().captured())
                    .as("the last two were not captured")
                    .isEqualTo(seen.database.status().replicated());
        });
    }

    @Test
    void labels_beatTheDefaultReplicated() {
        application(REPLICATED).run(context -> {
            SeenWaits seen = new SeenWaits(context);
            seen.assertWaits(1, () -> seen.orders.add());
            seen.assertWaits(0, () -> seen.orders.addAsync());
            seen.assertWaits(
                    1, () -> seen.jdbc.sql("insert into orders values (1)").update());
            seen.assertWaits(1, () -> assertThat(seen.jdbc
                            .sql("insert into orders values (7) returning x")
                            .query(Long.class)
                            .single())
                    .isEqualTo(7));
            seen.assertWaits(0, () -> assertThat(seen.orders.count()).isEqualTo(4));
            seen.assertWaits(0, () -> assertThatThrownBy(() -> seen.orders.addAndFail())
                    .isInstanceOf(IllegalStateException.class));
        });
    }

    @Test
    void labelOfAClass_countsForItsMethods_behindAnInterface_unlessTheySayOtherwise() {
        application().withUserConfiguration(LabelledClass.class).run(context -> {
            SeenWaits seen = new SeenWaits(context);
            Ledger ledger = context.getBean(Ledger.class);
            seen.assertWaits(1, ledger::add);
            seen.assertWaits(0, ledger::addAsync);
        });
    }

    @Test
    void oneDatabase_hasItsOwnDurability() {
        application("litestream.databases.orders.durability=replicated").run(context -> {
            SeenWaits seen = new SeenWaits(context);
            seen.assertWaits(1, () -> seen.orders.add());
        });
    }

    @Test
    void template_waitsAsTheSettingSays_andForAMethodThatJoins() {
        application().run(context -> {
            SeenWaits seen = new SeenWaits(context);
            TransactionTemplate template = new TransactionTemplate(context.getBean(PlatformTransactionManager.class));
            seen.assertWaits(0, () -> template.executeWithoutResult(status -> seen.orders.add()));
            seen.assertWaits(1, () -> template.executeWithoutResult(status -> seen.orders.addReplicated()));
        });
        deleteData();
        application(REPLICATED).run(context -> {
            SeenWaits seen = new SeenWaits(context);
            TransactionTemplate template = new TransactionTemplate(context.getBean(PlatformTransactionManager.class));
            seen.assertWaits(1, () -> template.executeWithoutResult(status -> seen.orders.add()));
            seen.assertWaits(
                    0,
                    () -> template.executeWithoutResult(status -> {
                        seen.orders.add();
                        status.setRollbackOnly();
                    }));
        });
    }

    @Test
    void unknownLabel_failsTheStart() {
        application().withUserConfiguration(Misspelt.class).run(context -> assertThat(context.getStartupFailure())
                .rootCause()
                .isInstanceOfSatisfying(LitestreamSettingException.class, error -> {
                    assertThat(error)
                            .hasMessage("@Transactional of " + Misspelt.class.getName()
                                    + ".add has the labels [litestream.replicate].");
                    assertThat(error.remedy())
                            .isEqualTo("Write one of the labels litestream.replicated and litestream.async.");
                }));
    }

    private void deleteData() {
        try {
            Runners.loseDisk(folder);
            try (var paths = Files.walk(folder.resolve("replica"))) {
                for (Path path :
                        paths.sorted(java.util.Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    interface Ledger {
        void add();

        void addAsync();
    }

    @Transactional(label = "litestream.replicated")
    static class LabelledClass implements Ledger {
        private final JdbcClient jdbc;

        LabelledClass(JdbcClient jdbc) {
            this.jdbc = jdbc;
        }

        @Override
        public void add() {
            jdbc.sql("insert into orders values (1)").update();
        }

        @Override
        @Transactional(label = "litestream.async")
        public void addAsync() {
            add();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Misspelt {
        @Bean
        Misspelt misspelt() {
            return new Misspelt();
        }

        @Transactional(label = "litestream.replicate")
        public void add() {}
    }
}
