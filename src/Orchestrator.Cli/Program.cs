Console.WriteLine("orc");
