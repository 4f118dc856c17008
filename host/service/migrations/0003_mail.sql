-- what an attempt left for the next one: who has its mail already; the runtime's own text
ALTER TABLE deliveries ADD COLUMN progress TEXT;
