package org.litestream4j.replica;

/** Clients of the replica of one test, which see the same files and need not be closed. */
interface ContractClients {

    ReplicaClient client() throws Exception;

    /** One that was not told to prepare the replica. */
    ReplicaClient unpreparedClient() throws Exception;
}
