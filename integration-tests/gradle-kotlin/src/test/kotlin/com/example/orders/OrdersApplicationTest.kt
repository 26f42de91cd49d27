package com.example.orders

import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import org.litestream4j.Litestream
import org.litestream4j.test.AutoConfigureLitestream
import org.litestream4j.test.LitestreamAssertions.assertThat
import org.litestream4j.test.LostDisk
import org.springframework.beans.factory.annotation.Autowired
import org.springframework.boot.test.context.SpringBootTest
import org.springframework.context.ConfigurableApplicationContext

@SpringBootTest
@AutoConfigureLitestream
class OrdersApplicationTest {

    @Test
    fun `lost disk is restored`(
        @Autowired context: ConfigurableApplicationContext,
        @Autowired purchases: Purchases,
        @Autowired litestream: Litestream,
    ) {
        purchases.add("book")
        assertThat(litestream.database("app.db").orElseThrow()).isRestorable()
        LostDisk.simulate(context).restart().use { restarted ->
            assertThat(restarted.getBean(Purchases::class.java).count()).isEqualTo(1)
        }
    }
}
