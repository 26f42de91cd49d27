package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.springframework.aot.hint.predicate.RuntimeHintsPredicates.proxies;
import static org.springframework.aot.hint.predicate.RuntimeHintsPredicates.reflection;
import static org.springframework.aot.hint.predicate.RuntimeHintsPredicates.resource;

import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;
import org.junit.jupiter.api.Test;
import org.litestream4j.replica.ReplicaProvider;
import org.litestream4j.spring.actuate.LitestreamEndpoint;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;
import org.springframework.core.io.support.SpringFactoriesLoader;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The metadata of native images, and that of the core for applications without Spring. */
class LitestreamRuntimeHintsTest {

    private final RuntimeHints hints = new RuntimeHints();

    LitestreamRuntimeHintsTest() {
        SpringFactoriesLoader.forResourceLocation("META-INF/spring/aot.factories")
                .load(RuntimeHintsRegistrar.class)
                .stream()
                .filter(LitestreamRuntimeHints.class::isInstance)
                .forEach(registrar -> registrar.registerHints(hints, getClass().getClassLoader()));
    }

    @Test
    void jdbcProxies_areRegistered() {
        assertThat(LitestreamRuntimeHints.PROXIES)
                .hasSize(6)
                .allSatisfy(type -> assertThat(proxies().forInterfaces(type)).accepts(hints));
    }

    @Test
    void responsesOfEndpoints_areRegisteredWithTheirComponents() {
        List<Class<?>> records = LitestreamRuntimeHints.records(getClass().getClassLoader());
        assertThat(records)
                .contains(LitestreamEndpoint.Databases.class, LitestreamEndpoint.FileList.class)
                .contains(LitestreamProperties.class, ReplicaProperties.class, ReadReplicaProperties.class);
        for (Class<?> type : records) {
            assertThat(reflection().onType(type)).as(type.getName()).accepts(hints);
            for (RecordComponent component : type.getRecordComponents()) {
                assertThat(reflection().onMethodInvocation(component.getAccessor()))
                        .as("%s", component)
                        .accepts(hints);
            }
        }
    }

    @Test
    void settings_areBoundByTheirConstructor() throws Exception {
        for (Class<?> type : List.of(LitestreamProperties.class, ReplicaProperties.class)) {
            assertThat(reflection().onConstructorInvocation(type.getDeclaredConstructors()[0]))
                    .as(type.getName())
                    .accepts(hints);
        }
    }

    @Test
    void backends_areFoundByTheServiceLoader() {
        assertThat(resource().forResource("META-INF/services/org.litestream4j.replica.ReplicaProvider"))
                .accepts(hints);
        assertThat(ServiceLoader.load(ReplicaProvider.class).stream())
                .isNotEmpty()
                .allSatisfy(provider ->
                        assertThat(reflection().onType(provider.type())).accepts(hints));
    }

    @Test
    void nativeLibraries_areLoaded() throws Exception {
        assertThat(resource().forResource("net/jpountz/util/linux/amd64/liblz4-java.so"))
                .accepts(hints);
        assertThat(resource().forResource("org/sqlite/native/Linux/x86_64/libsqlitejdbc.so"))
                .accepts(hints);
        LZ4Factory factory = LZ4Factory.fastestInstance();
        LZ4Compressor compressor = factory.fastCompressor();
        LZ4SafeDecompressor decompressor = factory.safeDecompressor();
        for (Object used : List.of(compressor, decompressor)) {
            assertThat(reflection().onFieldAccess(used.getClass(), "INSTANCE"))
                    .as(used.getClass().getName())
                    .accepts(hints);
        }
        assertThat(hints.jni().typeHints().map(hint -> hint.getType().getName()))
                .contains("net.jpountz.lz4.LZ4JNI", "org.sqlite.core.NativeDB");
    }

    /** The core's own metadata names the same proxies and classes. */
    @Test
    void metadataOfTheCore_isTheSame() throws Exception {
        JsonNode metadata = JsonMapper.shared()
                .readTree(Files.readString(Path.of(
                        "../litestream-core/src/main/resources/META-INF/native-image/org.litestream4j/litestream-core",
                        "reachability-metadata.json")));
        List<String> types = metadata.path("reflection")
                .valueStream()
                .filter(entry -> entry.path("type").isString())
                .map(entry -> entry.path("type").asString())
                .toList();
        List<String> proxies = metadata.path("reflection")
                .valueStream()
                .filter(entry -> entry.path("type").isObject())
                .map(entry -> entry.path("type").path("proxy").path(0).asString())
                .toList();
        assertThat(proxies)
                .containsExactlyInAnyOrderElementsOf(LitestreamRuntimeHints.PROXIES.stream()
                        .map(Class::getName)
                        .toList());
        assertThat(types)
                .containsAll(LitestreamRuntimeHints.LZ4.stream()
                        .map(name -> "net.jpountz.lz4." + name)
                        .toList())
                .allSatisfy(
                        type -> assertThat(Class.forName(type, false, getClass().getClassLoader()))
                                .isNotNull());
        assertThat(metadata.path("resources").valueStream().map(entry -> entry.path("glob")
                        .asString()))
                .contains("META-INF/services/org.litestream4j.replica.ReplicaProvider", "net/jpountz/util/**");
    }
}
