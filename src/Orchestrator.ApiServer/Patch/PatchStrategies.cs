namespace Orchestrator.ApiServer.Patch;

/// <summary>
/// How strategic merge treats the lists of one object: what <c>patchStrategy</c> and <c>patchMergeKey</c> say in Kubernetes'
/// types. What is not named here is replaced if it is a list and merged if it is an object.
/// </summary>
/// <param name="Fields">By field name.</param>
public sealed record PatchStrategies(IReadOnlyDictionary<string, PatchStrategy> Fields)
{
    public static readonly PatchStrategies None = new(new Dictionary<string, PatchStrategy>());

    private static readonly PatchStrategies Metadata = Of(
        ("ownerReferences", PatchStrategy.MergeBy("uid")),
        ("finalizers", PatchStrategy.Union));

    private static readonly PatchStrategies OnlyMetadata = Of(("metadata", PatchStrategy.Object(Metadata)));

    /// <summary>namespaces: conditions by type; spec.finalizers is atomic.</summary>
    private static readonly PatchStrategies Namespace = Of(
        ("metadata", PatchStrategy.Object(Metadata)),
        ("status", PatchStrategy.Object(Of(("conditions", PatchStrategy.MergeBy("type"))))));

    /// <summary>The strategies of a built-in kind.</summary>
    /// <param name="group">Empty for the core group.</param>
    /// <returns>Null when the kind takes no strategic merge patch: every custom resource, which is answered 415.</returns>
    public static PatchStrategies? Of(string group, string kind) => (group, kind) switch
    {
        ("", "Namespace") => Namespace,
        ("", "Secret" or "ConfigMap" or "Event") or ("coordination.k8s.io", "Lease") or ("apps", "ControllerRevision") => OnlyMetadata,
        _ => null,
    };

    private static PatchStrategies Of(params ReadOnlySpan<(string Name, PatchStrategy Strategy)> fields) =>
        new(fields.ToArray().ToDictionary(field => field.Name, field => field.Strategy, StringComparer.Ordinal));
}

/// <summary>How strategic merge treats one field.</summary>
/// <param name="MergeKey">For a list of objects: the field that makes two of them the same.</param>
/// <param name="IsUnion">For a list of scalars: what the patch has is added.</param>
/// <param name="Nested">For what is inside of the object, or of each object of the list.</param>
public sealed record PatchStrategy(string? MergeKey, bool IsUnion, PatchStrategies Nested)
{
    public static readonly PatchStrategy Union = new(null, true, PatchStrategies.None);

    public static PatchStrategy MergeBy(string key) => new(key, false, PatchStrategies.None);

    public static PatchStrategy Object(PatchStrategies nested) => new(null, false, nested);
}
