using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.OpenApi;

/// <summary>Where OpenAPI v2 (swagger) and v3 say the same things differently.</summary>
internal abstract class OpenApiDialect
{
    public static readonly OpenApiDialect V2 = new Swagger();
    public static readonly OpenApiDialect V3 = new OpenApi3();

    protected const string Json = "application/json";

    /// <summary>A schema that is another, by its name.</summary>
    public abstract JsonObject Reference(string definition);

    /// <summary>The same, with something to say of its own.</summary>
    public abstract JsonObject Reference(string definition, string description);

    public abstract JsonObject Parameter(string name, string place, string type, string description);

    /// <summary>Gives an operation its request body.</summary>
    public abstract void SetBody(JsonObject operation, JsonArray parameters, string definition, IReadOnlyList<string> mediaTypes);

    public abstract JsonObject Response(string description, string definition);

    /// <summary>A structural schema, in what the dialect can say; a copy.</summary>
    public abstract JsonObject Schema(JsonObject structural);

    private sealed class Swagger : OpenApiDialect
    {
        public override JsonObject Reference(string definition) => new() { ["$ref"] = "#/definitions/" + definition };

        public override JsonObject Reference(string definition, string description) =>
            new() { ["description"] = description, ["$ref"] = "#/definitions/" + definition };

        public override JsonObject Parameter(string name, string place, string type, string description)
        {
            var parameter = new JsonObject { ["name"] = name, ["in"] = place, ["description"] = description, ["type"] = type, ["uniqueItems"] = true };
            if (place == "path")
            {
                parameter["required"] = true;
            }

            return parameter;
        }

        public override void SetBody(JsonObject operation, JsonArray parameters, string definition, IReadOnlyList<string> mediaTypes)
        {
            operation["consumes"] = new JsonArray([.. mediaTypes.Select(type => (JsonNode)type)]);
            parameters.Insert(0, new JsonObject { ["name"] = "body", ["in"] = "body", ["required"] = true, ["schema"] = Reference(definition) });
        }

        public override JsonObject Response(string description, string definition) =>
            new() { ["description"] = description, ["schema"] = Reference(definition) };

        /// <summary>v2 knows neither alternatives nor null: a client told less validates less, one told wrong refuses what is right.</summary>
        public override JsonObject Schema(JsonObject structural)
        {
            var schema = new JsonObject();
            var isLoose = IsTrue(structural["x-kubernetes-int-or-string"]) || IsTrue(structural["nullable"]);
            foreach (var (keyword, value) in structural)
            {
                switch (keyword)
                {
                    case "anyOf" or "oneOf" or "allOf" or "not" or "nullable":
                    case "type" or "format" or "properties" or "items" or "additionalProperties" or "pattern" or "enum" or "required" when isLoose:
                        break;
                    case "properties":
                        schema[keyword] = Map((JsonObject)value!);
                        break;
                    case "items" or "additionalProperties" when value is JsonObject nested:
                        schema[keyword] = Schema(nested);
                        break;
                    default:
                        schema[keyword] = value?.DeepClone();
                        break;
                }
            }

            return schema;
        }

        private JsonObject Map(JsonObject properties)
        {
            var mapped = new JsonObject();
            foreach (var (name, property) in properties)
            {
                mapped[name] = Schema((JsonObject)property!);
            }

            return mapped;
        }

        private static bool IsTrue(JsonNode? node) => node?.GetValueKind() == System.Text.Json.JsonValueKind.True;
    }

    private sealed class OpenApi3 : OpenApiDialect
    {
        public override JsonObject Reference(string definition) => new() { ["$ref"] = "#/components/schemas/" + definition };

        /// <summary>In v3 nothing beside a $ref counts.</summary>
        public override JsonObject Reference(string definition, string description) =>
            new() { ["description"] = description, ["allOf"] = new JsonArray(Reference(definition)), ["default"] = new JsonObject() };

        public override JsonObject Parameter(string name, string place, string type, string description)
        {
            var parameter = new JsonObject
            {
                ["name"] = name,
                ["in"] = place,
                ["description"] = description,
                ["schema"] = new JsonObject { ["type"] = type, ["uniqueItems"] = true },
            };
            if (place == "path")
            {
                parameter["required"] = true;
            }

            return parameter;
        }

        public override void SetBody(JsonObject operation, JsonArray parameters, string definition, IReadOnlyList<string> mediaTypes)
        {
            var content = new JsonObject();
            foreach (var type in mediaTypes)
            {
                content[type] = new JsonObject { ["schema"] = Reference(definition) };
            }

            operation["requestBody"] = new JsonObject { ["content"] = content, ["required"] = true };
        }

        public override JsonObject Response(string description, string definition) => new()
        {
            ["description"] = description,
            ["content"] = new JsonObject { [Json] = new JsonObject { ["schema"] = Reference(definition) } },
        };

        public override JsonObject Schema(JsonObject structural) => (JsonObject)structural.DeepClone();
    }
}
