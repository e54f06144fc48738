using System.Reflection;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

/// <summary>The model references nothing: no messages, no files, no network, no clock.</summary>
public sealed class DependencyTests
{
    private const string ModelNamespace = "Telemetry.Protocol.Model";

    private static readonly string[] Forbidden =
    [
        "Google.Protobuf", "Grpc", "System.IO", "System.Net", "System.Text.Json", "System.Threading.Tasks", "System.Diagnostics.Process",
        "Telemetry.Protocol.V1", "Telemetry.Protocol.Mapping", "Telemetry.Protocol.Files", "Telemetry.Protocol.Text",
    ];

    [Fact]
    public void Model_InItsCode_ReferencesNothingForbidden() =>
        Assert.Empty(ReferencesOf(ModelNamespace).Where(reference => Forbidden.Any(name => IsIn(reference.To, name))).Select(Line));

    [Fact]
    public void MappingAndText_InTheirCode_ReadAndSendNothing() =>
        Assert.Empty(ReferencesOf("Telemetry.Protocol.Mapping").Concat(ReferencesOf("Telemetry.Protocol.Text"))
            .Where(reference => IsIn(reference.To, "System.IO") || IsIn(reference.To, "System.Net") || IsIn(reference.To, "Grpc"))
            .Select(Line));

    [Fact]
    public void References_OfFiles_AreSeenByThisTest()
    {
        // So that the tests above cannot pass by seeing nothing.
        var references = ReferencesOf("Telemetry.Protocol.Files");

        Assert.Contains(references, reference => reference.To == "System.IO.FileStream");
        Assert.Contains(references, reference => IsIn(reference.To, "Google.Protobuf"));
        Assert.Contains(ReferencesOf(ModelNamespace), reference => reference.To == "System.Security.Cryptography.SHA256");
    }

    private static string Line((string From, string To) reference) => $"{reference.From} uses {reference.To}";

    private static bool IsIn(string type, string name) =>
        type == name || type.StartsWith(name + ".", StringComparison.Ordinal);

    /// <summary>Every type that the signatures, fields and method bodies of a namespace mention.</summary>
    private static List<(string From, string To)> ReferencesOf(string @namespace)
    {
        var assembly = typeof(EntryKey).Assembly;
        var module = assembly.ManifestModule;
        var references = new HashSet<(string, string)>();
        foreach (var type in assembly.GetTypes().Where(type => IsIn(type.Namespace ?? "", @namespace)))
        {
            const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
            var used = new List<Type?> { type.BaseType };
            used.AddRange(type.GetInterfaces());
            used.AddRange(type.GetFields(All).Select(field => field.FieldType));
            foreach (var method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
            {
                used.AddRange(method.GetParameters().Select(parameter => parameter.ParameterType));
                used.Add((method as MethodInfo)?.ReturnType);
                used.AddRange(TypesInBody(module, method));
            }

            foreach (var name in used.OfType<Type>().SelectMany(Names))
                references.Add((type.FullName!, name));
        }

        return [.. references];
    }

    private static IEnumerable<string> Names(Type type)
    {
        while (type.HasElementType)
            type = type.GetElementType()!;
        if (type.IsGenericParameter)
            return [];
        var own = (type.DeclaringType ?? type).FullName ?? type.Name;
        return [own, .. type.GetGenericArguments().SelectMany(Names)];
    }

    /// <summary>Types of the local variables, of what is caught, and of every type, method and field that the code names.</summary>
    private static List<Type?> TypesInBody(Module module, MethodBase method)
    {
        var body = method.GetMethodBody();
        if (body is null)
            return [];

        var types = new List<Type?>();
        types.AddRange(body.LocalVariables.Select(local => local.LocalType));
        types.AddRange(body.ExceptionHandlingClauses
            .Where(clause => clause.Flags == ExceptionHandlingClauseOptions.Clause)
            .Select(clause => clause.CatchType));
        foreach (var token in IlTokens.In(body.GetILAsByteArray()!))
        {
            var member = module.ResolveMember(
                token, method.DeclaringType!.GetGenericArguments(), method.IsGenericMethod ? method.GetGenericArguments() : null);
            types.Add(member as Type ?? member?.DeclaringType);
            if (member is MethodInfo { IsGenericMethod: true } generic)
                types.AddRange(generic.GetGenericArguments());
        }

        return types;
    }
}
