namespace Orchestrator.ApiServer.Schema.Documents;

/// <summary>How much a request body may hold.</summary>
public sealed record DocumentLimits
{
    public static readonly DocumentLimits Default = new();

    /// <summary>Bytes; default 3 MiB, the limit of a kube-apiserver.</summary>
    public int MaxBytes { get; init; } = 3 * 1024 * 1024;

    /// <summary>Levels of nesting; default 128, several times that of any schema, and little enough for recursion.</summary>
    public int MaxDepth { get; init; } = 128;

    /// <summary>Values, of whatever kind; default 300,000: what fits into the bytes if it is not made of nearly nothing.</summary>
    public int MaxValues { get; init; } = 300_000;

    /// <summary>
    /// Characters and values that aliases of a YAML document may add together, beyond what is written out; default 1 Mi.
    /// Real manifests repeat a few labels.
    /// </summary>
    public int MaxAliasWeight { get; init; } = 1024 * 1024;
}
