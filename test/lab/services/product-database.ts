import Sqlite from 'better-sqlite3';

/** A product list in memory whose queries paste their input into SQL: what an injection tool is looking for. */
export class ProductDatabase {
  private readonly db = new Sqlite(':memory:');

  constructor() {
    this.db.exec(
      'CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE account (user TEXT, pass TEXT)',
    );
    const insert = this.db.prepare('INSERT INTO product (name) VALUES (?)');
    for (let i = 0; i < 50; i++) insert.run(`product ${i}`);
    this.db.exec(`INSERT INTO account VALUES ('bob', 'sunshine')`);
  }

  search(text: string): string[] {
    const rows = this.db.prepare(`SELECT name FROM product WHERE name LIKE '%${text}%' LIMIT 20`).all();
    return (rows as { name: string }[]).map((row) => row.name);
  }

  byId(id: string): string[] {
    const rows = this.db.prepare(`SELECT name FROM product WHERE id = ${id}`).all();
    return (rows as { name: string }[]).map((row) => row.name);
  }
}
