Console.WriteLine("jepa");
return 0;
