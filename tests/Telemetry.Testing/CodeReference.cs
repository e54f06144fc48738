using System.Reflection;

namespace Telemetry.Testing;

/// <summary>One type that another mentions in its signatures, fields or code.</summary>
public sealed record CodeReference(string From, string To)
{
    /// <summary>Whether it is to a type, or to one in a namespace.</summary>
    public bool IsTo(string name) => IsIn(To, name);

    public bool IsFrom(string name) => IsIn(From, name);

    /// <summary>Every type that the signatures, fields and method bodies of a namespace mention.</summary>
    public static IReadOnlyList<CodeReference> AllOf(Assembly assembly, string @namespace)
    {
        var module = assembly.ManifestModule;
        var references = new HashSet<CodeReference>();
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
                references.Add(new CodeReference(type.FullName!, name));
        }

        return [.. references];
    }

    private static bool IsIn(string type, string name) =>
        type == name || type.StartsWith(name + ".", StringComparison.Ordinal) || type.StartsWith(name + "+", StringComparison.Ordinal);

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
