package com.example.orders

import org.springframework.boot.autoconfigure.SpringBootApplication
import org.springframework.boot.runApplication
import org.springframework.jdbc.core.simple.JdbcClient
import org.springframework.stereotype.Service

@SpringBootApplication
class OrdersApplication

@Service
class Purchases(private val jdbc: JdbcClient) {

    init {
        jdbc.sql("create table if not exists purchase (item text)").update()
    }

    fun add(item: String) = jdbc.sql("insert into purchase values (?)").param(item).update()

    fun count(): Long = jdbc.sql("select count(*) from purchase").query(Long::class.java).single()
}

fun main(args: Array<String>) {
    runApplication<OrdersApplication>(*args)
}
