using System.Collections;
using System.Reflection;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Api.Tests;

/// <summary>
/// The CRD files are the source of truth; the types must have their fields, no more and no fewer, or a field that a user sets
/// would be lost in silence.
/// </summary>
public sealed class CrdFilesTests
{
    public static TheoryData<string, Type, Type> Roots => new()
    {
        { "webapps", typeof(WebAppSpec), typeof(WebAppStatus) },
        { "replicas", typeof(ReplicaSpec), typeof(ReplicaStatus) },
        { "dockerhosts", typeof(DockerHostSpec), typeof(DockerHostStatus) },
    };

    [Theory]
    [MemberData(nameof(Roots))]
    public void Types_have_the_fields_of_the_schema(string file, Type spec, Type status)
    {
        var schema = Assert.Single(Load(file).Spec.Versions).Schema.OpenAPIV3Schema;

        var differences = Compare("spec", schema.Properties["spec"], spec).Concat(Compare("status", schema.Properties["status"], status));

        Assert.Empty(differences);
    }

    [Theory]
    [MemberData(nameof(Roots))]
    public void Every_field_is_described(string file, Type spec, Type status)
    {
        var schema = Assert.Single(Load(file).Spec.Versions).Schema.OpenAPIV3Schema;

        Assert.NotNull(spec);
        Assert.NotNull(status);
        Assert.Empty(Undescribed("spec", schema.Properties["spec"]).Concat(Undescribed("status", schema.Properties["status"])));
    }

    [Fact]
    public void The_schema_has_the_same_image_grammar_as_the_code()
    {
        var schema = Load("webapps").Spec.Versions[0].Schema.OpenAPIV3Schema;

        Assert.Equal(ImageReference.Pattern, schema.Properties["spec"].Properties["image"].Pattern);
    }

    [Theory]
    [InlineData("webapps")]
    [InlineData("replicas")]
    [InlineData("dockerhosts")]
    public void Quantities_are_those_that_can_be_read_and_counted_with(string file)
    {
        var pattern = Assert.Single(QuantityPatterns(Assert.Single(Load(file).Spec.Versions).Schema.OpenAPIV3Schema).Distinct());

        Assert.All(["1", "0.5", ".5", "+1.", "500m", "64Mi", "1e18", "1E-9", "9223372036854775807"], text => Assert.Matches(pattern, text));
        Assert.All(
            ["1e40", "1e19", "1e9999999999", "10000000000000000000", "0.0000000001", "1core", "-1", "e1", ""],
            text => Assert.DoesNotMatch(pattern, text));
    }

    private static V1CustomResourceDefinition Load(string file) =>
        KubernetesYaml.Deserialize<V1CustomResourceDefinition>(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "crds", file + ".yaml")));

    private static IEnumerable<string> Compare(string path, V1JSONSchemaProps schema, Type type)
    {
        if (schema.Properties is not { Count: > 0 } properties)
        {
            return [];
        }

        if (typeof(IDictionary).IsAssignableFrom(type) || type.GetInterfaces().Append(type).Any(IsDictionary))
        {
            return [];
        }

        var fields = type.GetProperties()
            .Where(property => property.GetCustomAttribute<JsonIgnoreAttribute>() is null)
            .ToDictionary(property => property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? property.Name, property => property.PropertyType);
        var missing = properties.Keys.Except(fields.Keys).Select(name => $"{path}.{name}: in the schema, not in {type.Name}");

        // Kubernetes' own types have fields that are not offered (a probe's grpc, say); ours must not.
        var extra = type.Assembly == typeof(ApiGroup).Assembly
            ? fields.Keys.Except(properties.Keys).Select(name => $"{path}.{name}: in {type.Name}, not in the schema")
            : [];
        var nested = properties.Where(property => fields.ContainsKey(property.Key))
            .SelectMany(property => Compare($"{path}.{property.Key}", property.Value.Items is V1JSONSchemaProps items ? items : property.Value, ItemOf(fields[property.Key])));
        return missing.Concat(extra).Concat(nested);
    }

    private static IEnumerable<string> Undescribed(string path, V1JSONSchemaProps schema)
    {
        IEnumerable<string> own = schema.Description is null ? [path] : [];
        return own.Concat((schema.Properties ?? new Dictionary<string, V1JSONSchemaProps>())
            .SelectMany(property => Undescribed($"{path}.{property.Key}", property.Value)));
    }

    private static IEnumerable<string> QuantityPatterns(V1JSONSchemaProps schema)
    {
        // A percentage is no quantity.
        IEnumerable<string> own = (schema.XKubernetesIntOrString ?? false) && !schema.Pattern.EndsWith("%$", StringComparison.Ordinal) ? [schema.Pattern] : [];
        return own.Concat((schema.Properties?.Values ?? []).SelectMany(QuantityPatterns));
    }

    private static bool IsDictionary(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IDictionary<,>);

    private static Type ItemOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IList<>) ? type.GetGenericArguments()[0] : Nullable.GetUnderlyingType(type) ?? type;
}
