using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Schema.Kinds;

namespace Orchestrator.ApiServer.Schema;

/// <summary>
/// All that is checked and filled in for one resource, in the order of a write: <see cref="Prune"/> what is unknown,
/// <see cref="Default"/> what is absent, <see cref="Validate"/> what is left. Immutable; made once for a resource.
/// </summary>
public sealed class ResourceSchema
{
    private readonly ResourceDefinition _resource;
    private readonly StructuralSchema? _schema;

    /// <exception cref="InvalidDataException">The resource's schema is not structural.</exception>
    public ResourceSchema(ResourceDefinition resource)
    {
        _resource = resource;
        _schema = resource.OpenApiSchema is { } source ? StructuralSchema.Parse(source) : null;
    }

    /// <summary>Removes, in place, the fields that the schema does not know.</summary>
    /// <returns>
    /// Their paths: for <c>fieldValidation</c> Strict each is <c>unknown field "spec.foo"</c> in the 400 answer, for Warn a warning.
    /// </returns>
    public IReadOnlyList<string> Prune(JsonObject resource) => Pruning.Apply(resource, _schema ?? StructuralSchema.Anything);

    /// <summary>Fills in, in place, what is absent and has a default.</summary>
    public void Default(JsonObject resource)
    {
        if (_schema is not null)
        {
            Defaulting.Apply(resource, _schema);
        }

        if (_resource is { Group: "", Kind: "Secret" })
        {
            SecretRules.Encode(resource);
        }

        // Clients send creationTimestamp: null.
        if (resource["metadata"] is JsonObject metadata)
        {
            Defaulting.Apply(metadata, ObjectMeta.Schema);
        }
    }

    /// <summary>Everything that is wrong with an object, its metadata included.</summary>
    /// <param name="old">The object as stored before an update; null on create.</param>
    public FieldErrors Validate(JsonObject resource, JsonObject? old = null)
    {
        var errors = new FieldErrors();
        ObjectMeta.Check(resource, _resource.Namespaced, _resource is { Group: "", Kind: "Namespace" }, errors);
        if (_schema is not null)
        {
            SchemaValidation.Validate(resource, _schema, errors);
        }

        // Rules that read fields rely on their types: without them one fault would show as many.
        if (errors.Count == 0)
        {
            KindRules.Find(_resource.Group, _resource.Kind)?.Invoke(new KindRuleContext(resource, old, errors));
        }

        return errors;
    }
}
