using System.Reflection;
using System.Reflection.Emit;
using Xunit;

namespace CSsl.Tests.Orleans.Compatibility;

/// <summary>Proves that the comparison fails when it should: each pair differs in one thing.</summary>
public sealed class ApiComparerTests
{
    [Fact]
    public void Nothing_is_reported_when_the_stand_in_has_less()
        => Assert.Empty(Differences(
            static m => Define(m, "T", static t => { Method(t, "A"); Method(t, "B"); }),
            static m => Define(m, "T", static t => Method(t, "A"))));

    [Fact]
    public void Member_is_reported_when_the_original_lacks_it()
        => Assert.Equal(["T: has 'System.Void B()', which the original does not"], Differences(
            static m => Define(m, "T", static t => Method(t, "A")),
            static m => Define(m, "T", static t => { Method(t, "A"); Method(t, "B"); })));

    [Fact]
    public void Member_is_reported_when_its_signature_differs()
        => Assert.Equal(["T: has 'System.Void A(System.Int32 x)', which the original does not"], Differences(
            static m => Define(m, "T", static t => Method(t, "A", MethodAttributes.Public, ("x", typeof(long)))),
            static m => Define(m, "T", static t => Method(t, "A", MethodAttributes.Public, ("x", typeof(int))))));

    [Fact]
    public void Member_is_reported_when_a_parameter_has_another_name()
        => Assert.Single(Differences(
            static m => Define(m, "T", static t => Method(t, "A", MethodAttributes.Public, ("x", typeof(int)))),
            static m => Define(m, "T", static t => Method(t, "A", MethodAttributes.Public, ("y", typeof(int))))));

    [Fact]
    public void Member_is_reported_when_its_accessibility_or_virtuality_differs()
    {
        Assert.Single(Differences(
            static m => Define(m, "T", static t => Method(t, "A", MethodAttributes.Family)),
            static m => Define(m, "T", static t => Method(t, "A"))));
        Assert.Single(Differences(
            static m => Define(m, "T", static t => Method(t, "A")),
            static m => Define(m, "T", static t => Method(t, "A", MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.NewSlot))));
    }

    [Fact]
    public void Type_is_reported_when_its_kind_or_base_differs()
    {
        Assert.Equal(["T: is 'sealed class : System.Object', not 'class : System.Object'"], Differences(
            static m => Define(m, "T"),
            static m => Define(m, "T", attributes: TypeAttributes.Sealed)));
        Assert.Equal(["T: is 'class : System.Object', not 'class : System.Exception'"], Differences(
            static m => Define(m, "T", parent: typeof(Exception)),
            static m => Define(m, "T")));
    }

    [Fact]
    public void Attribute_is_reported_when_its_targets_differ()
        => Assert.Equal(["T: is 'class : System.Attribute on Class, multiple False, inherited True', not 'class : System.Attribute on Method, multiple False, inherited True'"], Differences(
            static m => Define(m, "T", static t => On(t, AttributeTargets.Method), parent: typeof(Attribute)),
            static m => Define(m, "T", static t => On(t, AttributeTargets.Class), parent: typeof(Attribute))));

    [Fact]
    public void Interface_is_reported_when_only_the_stand_in_implements_it_or_when_it_is_missing()
    {
        Assert.Equal(["T: implements System.ICloneable, which the original does not"], Differences(
            static m => Define(m, "T", attributes: TypeAttributes.Abstract),
            static m => Define(m, "T", static t => t.AddInterfaceImplementation(typeof(ICloneable)), TypeAttributes.Abstract)));
        Assert.Equal(["T: does not implement I"], Differences(
            static m => Define(m, "T", t => t.AddInterfaceImplementation(DefineInterface(m)), TypeAttributes.Abstract),
            static m =>
            {
                DefineInterface(m);
                Define(m, "T", attributes: TypeAttributes.Abstract);
            }));
    }

    [Fact]
    public void Enum_member_is_reported_when_its_number_differs()
        => Assert.Equal(["E: has 'A = 2', which the original does not"], Differences(
            static m => DefineEnum(m, 1),
            static m => DefineEnum(m, 2)));

    private static string[] Differences(Action<ModuleBuilder> original, Action<ModuleBuilder> standIn)
    {
        using var context = new MetadataLoadContext(new PathAssemblyResolver(Directory.GetFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "*.dll")), typeof(object).Assembly.GetName().Name);
        return [.. ApiComparer.Differences(Build(context, "Original", original), Build(context, "StandIn", standIn))];
    }

    private static Assembly Build(MetadataLoadContext context, string name, Action<ModuleBuilder> define)
    {
        var assembly = new PersistedAssemblyBuilder(new AssemblyName(name), typeof(object).Assembly);
        define(assembly.DefineDynamicModule(name));
        using var image = new MemoryStream();
        assembly.Save(image);
        return context.LoadFromByteArray(image.ToArray());
    }

    private static void Define(ModuleBuilder module, string name, Action<TypeBuilder>? members = null, TypeAttributes attributes = TypeAttributes.Class, Type? parent = null)
    {
        var type = module.DefineType(name, TypeAttributes.Public | attributes, parent ?? typeof(object));
        members?.Invoke(type);
        type.CreateType();
    }

    private static Type DefineInterface(ModuleBuilder module) => module.DefineType("I", TypeAttributes.Public | TypeAttributes.Interface | TypeAttributes.Abstract).CreateType();

    private static void DefineEnum(ModuleBuilder module, int value)
    {
        var type = module.DefineEnum("E", TypeAttributes.Public, typeof(int));
        type.DefineLiteral("A", value);
        type.CreateType();
    }

    private static void Method(TypeBuilder type, string name, MethodAttributes attributes = MethodAttributes.Public, params (string Name, Type Type)[] parameters)
    {
        var method = type.DefineMethod(name, attributes, typeof(void), [.. parameters.Select(static p => p.Type)]);
        for (var i = 0; i < parameters.Length; i++)
            method.DefineParameter(i + 1, ParameterAttributes.None, parameters[i].Name);
        method.GetILGenerator().Emit(OpCodes.Ret);
    }

    private static void On(TypeBuilder type, AttributeTargets targets)
        => type.SetCustomAttribute(new CustomAttributeBuilder(typeof(AttributeUsageAttribute).GetConstructor([typeof(AttributeTargets)])!, [targets]));
}
