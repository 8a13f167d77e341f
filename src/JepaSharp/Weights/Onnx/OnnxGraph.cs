using System.Globalization;
using System.Runtime.InteropServices;

namespace JepaSharp.Weights.Onnx;

/// <summary>A graph of ONNX's operators as it is put together: each step gives the name of what it makes.</summary>
internal sealed class OnnxGraph
{
    private const int Input = 1, Output = 2, Name = 3, Operator = 4, Attribute = 5; // of NodeProto
    private readonly List<OnnxConstant> _constants = [];
    private readonly List<OnnxMessage> _nodes = [], _inputs = [], _outputs = [];
    private readonly Dictionary<string, int> _used = [];
    private readonly Dictionary<string, string> _numbers = [];

    /// <summary>What the names of the steps begin with: where in the network they stand.</summary>
    public string Scope { get; set; } = "";

    /// <summary>In the order of use; none depends on a later one.</summary>
    public IReadOnlyList<OnnxMessage> Nodes => _nodes;

    /// <summary>Weights and other numbers.</summary>
    public IReadOnlyList<OnnxConstant> Constants => _constants;

    /// <summary>What is given to the graph.</summary>
    public IReadOnlyList<OnnxMessage> Inputs => _inputs;

    /// <summary>What it gives.</summary>
    public IReadOnlyList<OnnxMessage> Outputs => _outputs;

    /// <summary>A float32 input.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="sizes">A number, or a name for a size that is known when it runs.</param>
    public string In(string name, params object[] sizes)
    {
        _inputs.Add(Value(name, sizes));
        return name;
    }

    /// <summary>Gives a value to the outside under a name.</summary>
    public void Out(string name, string value, params object[] sizes)
    {
        _nodes.Add(Step("Identity", [value], [name], name, []));
        _outputs.Add(Value(name, sizes));
    }

    /// <summary>An operator with one output.</summary>
    /// <param name="operation">ONNX's name of it.</param>
    /// <param name="inputs">Names; an empty one for an input that is left out.</param>
    /// <param name="attributes">Names with a long, a float or a long[].</param>
    /// <returns>The output's name.</returns>
    public string Do(string operation, IReadOnlyList<string> inputs, params (string Name, object Value)[] attributes)
    {
        var name = Unused($"{Scope}{operation}");
        _nodes.Add(Step(operation, inputs, [name], name, attributes));
        return name;
    }

    /// <summary>The same with several outputs.</summary>
    public IReadOnlyList<string> Several(
        string operation, int outputs, IReadOnlyList<string> inputs, params (string Name, object Value)[] attributes)
    {
        var name = Unused($"{Scope}{operation}");
        string[] names = [.. Enumerable.Range(0, outputs).Select(i => $"{name}.{i}")];
        _nodes.Add(Step(operation, inputs, names, name, attributes));
        return names;
    }

    /// <summary>Numbers that are the graph's own; fetched when the file is written.</summary>
    public string Constant(OnnxConstant constant)
    {
        _constants.Add(constant);
        return constant.Name;
    }

    /// <summary>Whole numbers; the same ones are stored once.</summary>
    public string Whole(params long[] values) =>
        Kept($"int64 {string.Join(' ', values)}", name => new OnnxConstant(name, OnnxType.Int64, [values.Length], () => BytesOf(values)));

    /// <summary>One whole number without dimensions.</summary>
    public string WholeScalar(long value) =>
        Kept($"int64 scalar {value}", name => new OnnxConstant(name, OnnxType.Int64, [], () => BitConverter.GetBytes(value)));

    /// <summary>float32 numbers in one dimension, or one without any.</summary>
    public string Real(params float[] values) => Kept(
        $"float32 {string.Join(' ', values.Select(v => v.ToString("R", CultureInfo.InvariantCulture)))}",
        name => new OnnxConstant(name, OnnxType.Float32, values.Length == 1 ? [] : [values.Length], () => BytesOf(values)));

    /// <summary>float32 numbers of any shape under a name of their own.</summary>
    public string Table(string name, float[] values, params long[] shape) => Constant(new OnnxConstant(
        name, OnnxType.Float32, shape, () => BytesOf(values)));

    private static byte[] BytesOf<T>(T[] values)
        where T : struct => MemoryMarshal.AsBytes<T>(values).ToArray();

    private string Kept(string name, Func<string, OnnxConstant> make)
    {
        if (_numbers.TryGetValue(name, out var kept)) return kept;
        return _numbers[name] = Constant(make(name));
    }

    private string Unused(string name)
    {
        var count = _used[name] = _used.GetValueOrDefault(name) + 1;
        return count == 1 ? name : $"{name}_{count}";
    }

    private static OnnxMessage Step(
        string operation, IEnumerable<string> inputs, IEnumerable<string> outputs, string name, IEnumerable<(string Name, object Value)> attributes)
    {
        var node = new OnnxMessage();
        foreach (var input in inputs) node.Text(Input, input);
        foreach (var output in outputs) node.Text(Output, output);
        node.Text(Name, name).Text(Operator, operation);
        foreach (var (key, value) in attributes) node.Inner(Attribute, AttributeOf(key, value));
        return node;
    }

    private static OnnxMessage AttributeOf(string name, object value)
    {
        const int F = 2, I = 3, Ints = 8, Type = 20; // of AttributeProto; types below are its enumeration's
        var attribute = new OnnxMessage().Text(1, name);
        return value switch
        {
            float number => attribute.Real(F, number).Number(Type, 1),
            long number => attribute.Number(I, number).Number(Type, 2),
            long[] numbers => attribute.Numbers(Ints, numbers).Number(Type, 7),
            _ => throw new ArgumentException($"{value.GetType()} is no type of an attribute here.", nameof(value)),
        };
    }

    /// <summary>ValueInfoProto of a float32 tensor: its name, and TypeProto.tensor_type with element type and shape.</summary>
    private static OnnxMessage Value(string name, IEnumerable<object> sizes)
    {
        var shape = new OnnxMessage();
        foreach (var size in sizes)
        {
            var dimension = new OnnxMessage();
            shape.Inner(1, size is string variable ? dimension.Text(2, variable) : dimension.Number(1, (int)size));
        }

        var tensor = new OnnxMessage().Number(1, (long)OnnxType.Float32).Inner(2, shape);
        return new OnnxMessage().Text(1, name).Inner(2, new OnnxMessage().Inner(1, tensor));
    }
}

/// <summary>TensorProto's numbers for types of elements.</summary>
internal enum OnnxType
{
    Float32 = 1,
    Int64 = 7,
}

/// <summary>Numbers of a graph, fetched when they are written.</summary>
/// <param name="Name">In the graph.</param>
/// <param name="Type">Of an element.</param>
/// <param name="Shape">Sizes; empty for one number.</param>
/// <param name="Read">The bytes, row by row and little-endian.</param>
internal sealed record OnnxConstant(string Name, OnnxType Type, long[] Shape, Func<byte[]> Read)
{
    /// <summary>Bytes of all numbers.</summary>
    public long ByteCount => Shape.Aggregate(1L, (product, size) => product * size) * (Type == OnnxType.Int64 ? sizeof(long) : sizeof(float));
}
