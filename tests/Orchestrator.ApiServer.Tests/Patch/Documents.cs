using System.Text.Json.Nodes;
using CsCheck;

namespace Orchestrator.ApiServer.Tests.Patch;

/// <summary>Small random JSON documents over few names, so that patches and targets meet.</summary>
internal static class Documents
{
    private static readonly Gen<string> Names = Gen.OneOf("a", "b", "c", "~", "a/b", "");

    public static readonly Gen<JsonNode?> Any = Node(3, nulls: true);

    public static readonly Gen<JsonObject> WithoutNulls = ObjectOf(3, nulls: false);

    public static bool HasNullMember(JsonNode? node) => node switch
    {
        JsonObject members => members.Any(member => member.Value is null || HasNullMember(member.Value)),
        _ => false,
    };

    private static Gen<JsonObject> ObjectOf(int depth, bool nulls) =>
        Gen.Select(Names, Node(depth - 1, nulls)).Array[0, 4].Select(members =>
        {
            var result = new JsonObject();
            foreach (var (name, value) in members)
            {
                result[name] = value?.DeepClone();
            }

            return result;
        });

    private static Gen<JsonNode?> Node(int depth, bool nulls)
    {
        var scalars = Gen.OneOf(
            Gen.Int[0, 3].Select(value => (JsonNode?)JsonValue.Create(value)),
            Names.Select(value => (JsonNode?)JsonValue.Create(value)),
            Gen.Bool.Select(value => nulls && value ? null : (JsonNode?)JsonValue.Create(value)));
        return depth <= 0
            ? scalars
            : Gen.OneOf(
                scalars,
                ObjectOf(depth, nulls).Select(value => (JsonNode?)value),
                Node(depth - 1, nulls).Array[0, 3].Select(items => (JsonNode?)new JsonArray([.. items.Select(item => item?.DeepClone())])));
    }
}
