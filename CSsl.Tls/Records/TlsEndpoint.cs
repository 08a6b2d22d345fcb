namespace CSsl.Tls.Records;

/// <summary>Which end of the connection we are: the server, except in tests and benchmarks, whose clients are made of the same parts.</summary>
internal enum TlsEndpoint
{
    Server,
    Client,
}
