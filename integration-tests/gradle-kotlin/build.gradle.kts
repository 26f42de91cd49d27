// Built by hand with Gradle 8.14 or later; the tests of the documentation check its coordinates and settings.
plugins {
    kotlin("jvm") version "2.4.20"
    kotlin("plugin.spring") version "2.4.20"
    id("org.springframework.boot") version "4.1.2"
}

repositories {
    maven(providers.gradleProperty("staged").orElse("file:../../target/staging"))
    mavenCentral()
}

val litestreamVersion = providers.gradleProperty("litestreamVersion").orElse("0.1.0-SNAPSHOT").get()

dependencies {
    implementation(platform(org.springframework.boot.gradle.plugin.SpringBootPlugin.BOM_COORDINATES))
    implementation(platform("org.litestream4j:litestream-bom:$litestreamVersion"))
    implementation("org.litestream4j:litestream-spring-boot-starter")
    implementation("org.jetbrains.kotlin:kotlin-reflect")
    testImplementation("org.springframework.boot:spring-boot-starter-test")
    testImplementation("org.litestream4j:litestream-spring-boot-test")
    testRuntimeOnly("org.junit.platform:junit-platform-launcher")
}

kotlin {
    jvmToolchain(17)
}

tasks.test {
    useJUnitPlatform()
}
