package org.litestream4j.spring;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Modifier;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaProvider;
import org.springframework.aot.hint.BindingReflectionHintsRegistrar;
import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;
import org.springframework.boot.context.properties.bind.BindableRuntimeHintsRegistrar;
import org.springframework.core.io.Resource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;
import org.springframework.core.type.classreading.CachingMetadataReaderFactory;
import org.springframework.core.type.classreading.MetadataReader;
import org.springframework.core.type.classreading.MetadataReaderFactory;
import org.springframework.util.ClassUtils;

/**
 * Reflection, proxies and resources for native images. The settings and the bodies of the endpoints are records of this
 * module; they are found by a scan at build time.
 */
final class LitestreamRuntimeHints implements RuntimeHintsRegistrar {

    /** Types of the JDBC objects that the engine and read replicas put in front of those of the driver. */
    static final List<Class<?>> PROXIES = List.of(
            Connection.class,
            Statement.class,
            PreparedStatement.class,
            CallableStatement.class,
            ResultSet.class,
            DatabaseMetaData.class);

    /** Classes of lz4-java that its factory finds by their names. */
    static final List<String> LZ4 = List.of(
            "LZ4JNICompressor",
            "LZ4HCJNICompressor",
            "LZ4JNIFastDecompressor",
            "LZ4JNISafeDecompressor",
            "LZ4JavaSafeCompressor",
            "LZ4HCJavaSafeCompressor",
            "LZ4JavaSafeFastDecompressor",
            "LZ4JavaSafeSafeDecompressor");

    /** Native libraries and files that are read by name. */
    static final List<String> RESOURCES = List.of(
            "META-INF/services/org.litestream4j.replica.ReplicaProvider",
            "net/jpountz/util/**",
            "org/sqlite/native/**",
            "sqlite-jdbc.properties");

    @Override
    public void registerHints(RuntimeHints hints, @Nullable ClassLoader classLoader) {
        ClassLoader loader = classLoader != null ? classLoader : LitestreamRuntimeHints.class.getClassLoader();
        PROXIES.forEach(type -> hints.proxies().registerJdkProxy(type));
        LZ4.forEach(name -> hints.reflection()
                .registerTypeIfPresent(
                        loader,
                        "net.jpountz.lz4." + name,
                        MemberCategory.ACCESS_PUBLIC_FIELDS,
                        MemberCategory.ACCESS_DECLARED_FIELDS,
                        MemberCategory.INVOKE_DECLARED_CONSTRUCTORS));
        for (String type : List.of("net.jpountz.lz4.LZ4JNI", "org.sqlite.core.NativeDB", "org.sqlite.core.DB")) {
            hints.jni()
                    .registerTypeIfPresent(
                            loader,
                            type,
                            MemberCategory.ACCESS_DECLARED_FIELDS,
                            MemberCategory.INVOKE_DECLARED_METHODS,
                            MemberCategory.INVOKE_DECLARED_CONSTRUCTORS);
        }
        hints.reflection()
                .registerTypeIfPresent(loader, "org.sqlite.core.NativeDB", MemberCategory.ACCESS_DECLARED_FIELDS)
                .registerTypeIfPresent(loader, "org.sqlite.JDBC", MemberCategory.INVOKE_PUBLIC_CONSTRUCTORS);
        RESOURCES.forEach(pattern -> hints.resources().registerPattern(pattern));
        for (ServiceLoader.Provider<ReplicaProvider> provider : (Iterable<ServiceLoader.Provider<ReplicaProvider>>)
                ServiceLoader.load(ReplicaProvider.class, loader).stream()::iterator) {
            hints.reflection().registerType(provider.type(), MemberCategory.INVOKE_PUBLIC_CONSTRUCTORS);
        }
        BindingReflectionHintsRegistrar bodies = new BindingReflectionHintsRegistrar();
        for (Class<?> type : records(loader)) {
            bodies.registerReflectionHints(hints.reflection(), type);
        }
        BindableRuntimeHintsRegistrar.forTypes(LitestreamProperties.class).registerHints(hints);
    }

    /** Returns the records of this module that are not private: settings, and requests and responses of endpoints. */
    static List<Class<?>> records(ClassLoader loader) {
        String folder = ClassUtils.convertClassNameToResourcePath(LitestreamRuntimeHints.class.getPackageName());
        MetadataReaderFactory readers = new CachingMetadataReaderFactory(loader);
        List<Class<?>> records = new ArrayList<>();
        try {
            for (Resource file : new PathMatchingResourcePatternResolver(loader)
                    .getResources("classpath*:" + folder + "/**/*.class")) {
                MetadataReader reader = readers.getMetadataReader(file);
                if (Record.class.getName().equals(reader.getClassMetadata().getSuperClassName())
                        && ClassUtils.isPresent(reader.getClassMetadata().getClassName(), loader)) {
                    Class<?> type = ClassUtils.resolveClassName(
                            reader.getClassMetadata().getClassName(), loader);
                    if (!Modifier.isPrivate(type.getModifiers())) {
                        records.add(type);
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return records;
    }
}
