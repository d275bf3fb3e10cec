using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Schema.Documents;

namespace Orchestrator.ApiServer.Schema;

/// <summary>
/// The <c>openAPIV3Schema</c> of each built-in kind, from <c>Builtin/*.yaml</c>: Kubernetes' fields, enough to check, prune and explain.
/// </summary>
public static class BuiltinSchemas
{
    private static readonly FrozenDictionary<(string Group, string Kind), Lazy<JsonObject>> Schemas =
        new (string Group, string Kind)[]
        {
            ("", "Namespace"), ("", "Secret"), ("", "ConfigMap"), ("", "Event"), ("coordination.k8s.io", "Lease"),
            ("apps", "ControllerRevision"), ("apiextensions.k8s.io", "CustomResourceDefinition"),
        }.ToFrozenDictionary(kind => kind, kind => new Lazy<JsonObject>(() => Read(kind.Kind)));

    /// <param name="group">Empty for the core group.</param>
    /// <returns>Shared: not to be changed. Null when the kind is not built in.</returns>
    public static JsonObject? Find(string group, string kind) => Schemas.GetValueOrDefault((group, kind))?.Value;

    internal static JsonObject Read(string name)
    {
        using var stream = typeof(BuiltinSchemas).Assembly.GetManifestResourceStream(name + ".yaml")
            ?? throw new InvalidOperationException($"{name}.yaml is not embedded");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var document = YamlDocument.Parse(bytes, DocumentLimits.Default);
        return document.Root as JsonObject ?? throw new InvalidDataException($"{name}.yaml: {document.Error?.Message ?? "not an object"}");
    }
}
